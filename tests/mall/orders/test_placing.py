from __future__ import annotations

import pytest

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.members.queries import default_address
from app.loyalty.ledger.actions import InsufficientPoints
from app.mall.catalog import actions as catalog
from app.mall.catalog.errors import OutOfStock
from app.mall.catalog.models import Price
from app.mall.orders.errors import AddressMissing, InvalidQuantity, NotOffered, PriceChanged
from app.mall.orders.queries import Wanted, order_by_id
from app.mall.orders.rules import Figures
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import (
    ADDRESS,
    make_goods,
    order_some,
    orders_in_all,
    product_of,
    state_of,
    steps_of,
    stock_of,
    wallet_of,
)


def nothing_happened(member_id, goods, *, points=1_000, stock=10):
    assert orders_in_all() == 0
    assert wallet_of(member_id) == (points, 0)
    assert stock_of(goods) == stock


def test_points_alone_pay_an_order_at_once(alice):
    tea = make_goods(points=100)
    order_id = order_some(alice, tea, quantity=2)
    assert steps_of(order_id) == ["placed", "paid"]
    assert wallet_of(alice) == (800, 0)
    assert stock_of(tea) == 8


def test_an_order_keeps_what_was_ordered_as_it_was_then(alice):
    tea = make_goods("Green tea", points=100)
    order_id = order_some(alice, tea, quantity=2)
    with transaction():
        product_of(tea).name = {"en": "Black tea"}
    order = order_by_id(order_id)
    (line,) = order.lines
    assert (line.name["en"], line.quantity, line.points_each, line.category) == ("Green tea", 2, 100, "gifts")
    assert order.address == ADDRESS
    assert order.number.startswith("J260615")


def test_cash_to_pay_leaves_the_points_held(alice):
    kettle = make_goods("Kettle", points=300, cash=5_000)
    order_id = order_some(alice, kettle)
    assert state_of(order_id) == "placed"
    assert wallet_of(alice) == (1_000, 300)
    assert stock_of(kettle) == 9


def test_second_click_redeems_once(alice):
    tea = make_goods(points=100)
    first, second = (order_some(alice, tea, key="one-and-the-same-form") for _ in range(2))
    assert first == second
    assert orders_in_all() == 1
    assert wallet_of(alice) == (900, 0)
    assert stock_of(tea) == 9


def test_second_click_finds_its_order_even_when_the_last_piece_is_gone(alice):
    tea = make_goods(points=100, stock=1)
    first = order_some(alice, tea, key="one-and-the-same-form")
    assert order_some(alice, tea, key="one-and-the-same-form") == first


def test_the_same_key_of_two_members_makes_two_orders(alice, mallory):
    tea = make_goods(points=100)
    assert order_some(alice, tea, key="a-key-of-two-people") != order_some(mallory, tea, key="a-key-of-two-people")


def test_a_changed_price_asks_again_and_moves_nothing(alice):
    tea = make_goods(points=100)
    with transaction():
        db.session.get_one(Price, tea.price_id).points = 120
    with pytest.raises(PriceChanged) as refusal:
        order_some(alice, tea)
    assert refusal.value.old == Figures(Points(100), Money(0, "CNY"))
    assert refusal.value.new == Figures(Points(120), Money(0, "CNY"))
    assert "100 points" in str(refusal.value)
    assert "120 points" in str(refusal.value)
    nothing_happened(alice, tea)


def test_a_price_that_fell_asks_again_too(alice):
    tea = make_goods(points=100)
    with transaction():
        db.session.get_one(Price, tea.price_id).points = 80
    with pytest.raises(PriceChanged):
        order_some(alice, tea)


def test_the_price_of_another_product_is_refused(alice):
    tea, bargain = make_goods(points=100), make_goods("Sticker", points=1)
    with pytest.raises(NotOffered):
        order_some(alice, tea, wanted=[Wanted(tea.variant_id, bargain.price_id)], expected=bargain.figures)
    nothing_happened(alice, tea)


def test_a_draft_cannot_be_ordered(alice):
    secret = make_goods("Secret", points=100, listed=False)
    with pytest.raises(NotOffered):
        order_some(alice, secret)
    nothing_happened(alice, secret)


def test_an_archived_product_cannot_be_ordered(alice):
    tea = make_goods(points=100)
    with transaction():
        catalog.archive_product(product=product_of(tea), by=SYSTEM, now=NOON)
    with pytest.raises(NotOffered):
        order_some(alice, tea)
    nothing_happened(alice, tea)


def test_a_variant_off_sale_cannot_be_ordered(alice):
    tea = make_goods(points=100)
    with transaction():
        product_of(tea).variants[0].active = False
    with pytest.raises(NotOffered):
        order_some(alice, tea)
    nothing_happened(alice, tea)


@pytest.mark.parametrize("quantity", [0, -1, -100, 100, 2**31, 2**70])
def test_absurd_quantities_are_refused(alice, quantity):
    tea = make_goods(points=100)
    with pytest.raises(InvalidQuantity):
        order_some(alice, tea, quantity=quantity, expected=tea.figures)
    nothing_happened(alice, tea)


def test_more_than_there_is_cannot_be_ordered(alice):
    tea = make_goods(points=10, stock=2)
    with pytest.raises(OutOfStock):
        order_some(alice, tea, quantity=3)
    nothing_happened(alice, tea, stock=2)


def test_more_points_than_there_are_cannot_be_spent(app):
    bob, tea = make_member(name="Bob", points=99), make_goods(points=100)
    with pytest.raises(InsufficientPoints) as refusal:
        order_some(bob, tea)
    assert refusal.value.lacking == Points(1)
    nothing_happened(bob, tea, points=99)


def test_held_points_cannot_be_spent_twice(alice):
    kettle, tea = make_goods("Kettle", points=950, cash=100), make_goods(points=100)
    order_some(alice, kettle)
    with pytest.raises(InsufficientPoints):
        order_some(alice, tea)
    assert wallet_of(alice) == (1_000, 950)


@pytest.mark.parametrize("address", [None, {}, ADDRESS | {"line": "  "}, ADDRESS | {"recipient": ""}])
def test_a_parcel_needs_an_address(alice, address):
    tea = make_goods(points=100)
    with pytest.raises(AddressMissing):
        order_some(alice, tea, address=address)
    nothing_happened(alice, tea)


def test_a_voucher_needs_no_address_and_is_received_at_once(alice):
    voucher = make_goods("Cinema ticket", points=100, kind="code")
    order_id = order_some(alice, voucher, address=None)
    assert steps_of(order_id) == ["placed", "paid", "delivered"]
    assert order_by_id(order_id).address is None


def test_a_service_waits_until_it_was_rendered(alice):
    massage = make_goods("Massage", points=100, kind="service")
    assert state_of(order_some(alice, massage, address=None)) == "paid"


@pytest.mark.parametrize("key", ["", "short", "x" * 65])
def test_a_form_without_a_proper_key_is_refused(alice, key):
    tea = make_goods(points=100)
    with pytest.raises(InvalidInput):
        order_some(alice, tea, key=key)
    nothing_happened(alice, tea)


def test_the_first_parcel_leaves_its_address_and_a_later_one_changes_nothing(alice):
    order_some(alice, make_goods(points=100))
    assert default_address(alice).line == ADDRESS["line"]
    order_some(alice, make_goods(points=100), address={**ADDRESS, "line": "1 Bund"})
    assert default_address(alice).line == ADDRESS["line"]


def test_what_is_not_sent_leaves_no_address(alice):
    order_some(alice, make_goods(points=100, kind="service"))
    assert default_address(alice) is None


def test_a_number_that_is_taken_is_drawn_again(alice, mallory, monkeypatch):
    tea, numbers = make_goods(points=100), iter(["J1", "J1", "J2"])
    monkeypatch.setattr("app.mall.orders.placing.order_number", lambda _day: next(numbers))
    first, second = order_some(alice, tea), order_some(mallory, tea)
    assert [order_by_id(order_id).number for order_id in (first, second)] == ["J1", "J2"]
    assert (wallet_of(alice), wallet_of(mallory)) == ((900, 0), (900, 0))
