"""Access to a course is bought with points: open at once, and given back only until it is begun."""

from __future__ import annotations

import pytest

from app.foundation.database import db, transaction
from app.foundation.errors import DomainError, InvalidInput
from app.loyalty.ledger.verify import verify
from app.mall.catalog.errors import HadAlready, OneIsEnough
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted, quote
from app.mall.returns.actions import cancel
from tests.cast import sign_in
from tests.community.courses.making import lesson_ids, make_course
from tests.conftest import NOON
from tests.factories import give_points
from tests.mall.orders.shop import fresh_key, make_goods, order_some, state_of, stock_of, wallet_of

FIRST = "/courses/barista/lessons/1"


@pytest.fixture
def barista(app):
    make_course("barista", open_to_all=False, unit_id=None)
    return make_goods("Barista basics", points=200, kind="course", grants="barista")


@pytest.fixture
def bought(alice, barista):
    with transaction():
        give_points(alice.id, 500 - wallet_of(alice.id)[0], key="test:500")
    return order_some(alice.id, barista, address=None)


def give_back(order_id, member):
    with transaction():
        cancel(order_id=order_id, pieces=None, reason="unwanted", key=fresh_key(), by=member.actor, now=NOON)


def test_it_is_open_at_once_and_the_order_leads_there(client, alice, bought):
    assert state_of(bought) == "delivered"
    page = sign_in(client, alice).get(f"/orders/{order_by_id(bought).number}").text
    assert "Go to the course" in page
    assert "/courses/barista" in page
    assert "Begin the course" in client.get(FIRST).text


def test_once_it_is_begun_and_before_anything_is_noted_as_read_it_stays_bought(client, alice, barista, bought):
    member = sign_in(client, alice)
    for lesson in lesson_ids("barista"):
        assert "told" not in member.get(f"/courses/barista/lessons/{lesson}").text
    member.post("/courses/barista/opening")
    for lesson in lesson_ids("barista"):
        assert "told" in member.get(f"/courses/barista/lessons/{lesson}").text
    with pytest.raises(DomainError):
        give_back(bought, alice)
    db.session.rollback()
    assert (wallet_of(alice.id), stock_of(barista)) == ((300, 0), 9)


def test_given_back_unopened_it_costs_nothing_and_is_closed(client, alice, barista, bought):
    give_back(bought, alice)
    assert (wallet_of(alice.id), stock_of(barista)) == ((500, 0), 10)
    assert sign_in(client, alice).get(FIRST).status_code == 403
    assert verify().findings == []


def test_nobody_sells_what_nobody_can_give(app):
    with pytest.raises(InvalidInput, match="granted"):
        make_goods("Entry", kind="draw", grants="spring")
    with pytest.raises(InvalidInput, match="granted"):
        make_goods("Nothing", kind="course", grants="no-such-course")


@pytest.mark.parametrize("quantity", [2, 3])
def test_several_pieces_of_what_gives_one_access_are_not_sold(alice, barista, quantity):
    with pytest.raises(OneIsEnough):
        order_some(alice.id, barista, quantity=quantity, address=None)
    db.session.rollback()
    assert stock_of(barista) == 10


def test_two_products_that_give_the_same_access_are_not_sold_together(alice, barista):
    other = make_goods("Barista basics, for friends", points=100, kind="course", grants="barista")
    wanted = [Wanted(goods.variant_id, goods.price_id, 1) for goods in (barista, other)]
    with pytest.raises(OneIsEnough):
        quote(member_id=alice.id, wanted=wanted, now=NOON)


def test_who_has_the_course_is_told_before_buying_it_again(client, alice, barista, bought):
    page = sign_in(client, alice).get(f"/mall/{barista.slug}").text
    assert "You have this already" in page
    assert 'href="/courses/barista"' in page
    assert 'name="now"' not in page
    assert "Add to cart" not in page
    with pytest.raises(HadAlready):
        order_some(alice.id, barista, address=None)


def test_who_gave_it_back_may_buy_it_again(client, alice, barista, bought):
    give_back(bought, alice)
    page = sign_in(client, alice).get(f"/mall/{barista.slug}").text
    assert "You have this already" not in page
    assert 'name="now"' in page
    assert 'max="1"' in page
    assert state_of(order_some(alice.id, barista, address=None)) == "delivered"
