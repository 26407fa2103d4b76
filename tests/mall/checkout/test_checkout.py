from __future__ import annotations

import logging
import re

import pytest
import sqlalchemy as sa

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.actions import add_address
from app.identity.members.models import Member
from app.identity.members.queries import addresses_of
from app.mall.cart.actions import put_in
from app.mall.cart.queries import cart_of
from app.mall.catalog import actions as catalog
from app.mall.catalog.models import Price, Product, Variant
from app.mall.checkout.rules import Line, line_of, lines_of, step_of
from app.mall.orders.delivery import DeliveryTerms
from app.mall.orders.models import Order
from app.mall.orders.queries import order_by_id
from tests.cast import sign_in
from tests.conftest import NOON
from tests.mall.catalog.shelf import counted
from tests.mall.orders.shop import ADDRESS, make_goods, orders_in_all, stock_of, wallet_of


@pytest.fixture
def browser(client, alice):
    return sign_in(client, db.session.get_one(Member, alice))


@pytest.fixture
def tea(app):
    return make_goods("Green tea", points=100)


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=5_000)


def fill(member_id, *goods, quantity=1):
    with transaction():
        for each in goods:
            put_in(member_id=member_id, variant_id=each.variant_id, price_id=each.price_id, quantity=quantity, now=NOON)


def form_of(page):
    """Every field of the page's form, as a browser without a script would send it."""
    form = re.search(r'<form class="checkout".*?</form>', page.text, re.S)[0]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        facts = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in facts and (facts.get("type") != "radio" or " checked" in tag):
            fields.setdefault(facts["name"], []).append(facts.get("value", ""))
    return fields


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def only_order():
    db.session.rollback()
    return order_by_id(db.session.scalars(sa.select(Order.id)).one())


def remember(member_id, **changes):
    with transaction():
        return add_address(db.session.get_one(Member, member_id), **(ADDRESS | changes), now=NOON).id


# --- a cart becomes an order ----------------------------------------------------------------


def test_a_cart_with_points_instead_of_money_delivery_and_an_address(browser, alice, tea, kettle):
    here, there = remember(alice), remember(alice, line="1 Bund")
    fill(alice, tea, kettle, quantity=2)
    page = browser.get("/checkout?unit=shop")
    assert "8 Harbour Road" in page.text
    form = form_of(page) | {"offset": ["500"], "delivery": ["express"], "address": [str(there)]}
    again = browser.post("/checkout/quote", data=form)
    words = text_of(again)
    assert again.status_code == 200
    for figure in (
        "Goods ¥100.00",
        "500 points instead of money −¥5.00",
        "Express delivery +¥12.00",
        "To pay in cash ¥107.00",
        "Points for the goods 200 points",
        "Points for this order −700",
        "Points you keep 300 points",
        "You will earn +95",
    ):
        assert figure in words
    answer = browser.post("/checkout", data=form_of(again))
    order = only_order()
    assert answer.status_code == 307
    assert answer.location == f"/orders/{order.number}/payment"
    assert (order.points, order.cash, order.offset_points, order.delivery_fee) == (700, 10_700, 500, 1_200)
    assert order.address["line"] == "1 Bund"
    assert sum(line.cash_paid for line in order.lines) + order.delivery_fee == order.cash
    assert sum(line.points_paid for line in order.lines) == order.points
    assert cart_of(alice) == []
    assert wallet_of(alice) == (1_000, 700)
    assert here != there
    page = text_of(browser.get(f"/orders/{order.number}"))
    assert "500 points instead of money −¥5.00" in page
    assert "500 points instead of ¥5.00: ¥95.00 paid" in page
    listed = text_of(browser.get("/orders"))
    assert "and 1 more" in listed


def test_choices_made_without_recalculating_are_shown_before_they_count(browser, alice, kettle):
    remember(alice)
    fill(alice, kettle)
    form = form_of(browser.get("/checkout?unit=shop")) | {"offset": ["100"]}
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Altogether ¥50.00 100 points + ¥49.00" in text_of(answer)
    assert orders_in_all() == 0
    assert browser.post("/checkout", data=form_of(answer)).status_code == 307
    assert only_order().cash == 4_900


def test_what_is_bought_at_once_leaves_the_cart_alone(browser, alice, tea):
    remember(alice)
    fill(alice, tea)
    page = browser.get("/checkout", query_string={"variant": tea.variant_id, "price": tea.price_id})
    assert browser.post("/checkout", data=form_of(page)).status_code == 303
    assert len(cart_of(alice)) == 1


def test_the_same_form_five_times_is_one_order(browser, alice, tea):
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop"))
    answers = {browser.post("/checkout", data=form).location.partition("?")[0] for _ in range(5)}
    assert answers == {f"/orders/{only_order().number}"}
    assert wallet_of(alice) == (900, 0)
    assert stock_of(tea) == 9


def test_picking_it_up_asks_for_no_address(browser, alice, tea):
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | {"delivery": ["pickup"]}
    assert browser.post("/checkout", data=form).status_code == 303
    assert only_order().address is None


def test_an_address_that_is_typed_goes_into_the_book(browser, alice, tea):
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | ADDRESS | {"address": "new", "line": "88 Century Avenue"}
    assert browser.post("/checkout", data=form).status_code == 303
    assert [each.line for each in addresses_of(alice)] == ["8 Harbour Road", "88 Century Avenue"]


def test_delivery_that_is_free_from_an_amount_says_so(browser, alice, kettle):
    with transaction():
        terms.change(DeliveryTerms, {"standard_fee": 10, "free_from": 100}, by=SYSTEM, now=NOON)
    fill(alice, kettle)
    assert "Standard delivery +¥10.00" in text_of(browser.get("/checkout?unit=shop"))
    fill(alice, kettle)
    words = text_of(browser.get("/checkout?unit=shop"))
    assert "Standard delivery Free for an order of this size ¥10.00 free" in words
    assert "To pay in cash ¥100.00" in words


def test_other_units_and_empty_carts_lead_back_to_the_cart(browser, alice, tea):
    fill(alice, tea)
    for unit in ("nothing", "x" * 300):
        assert browser.get(f"/checkout?unit={unit}").location == "/cart"


# --- what has changed meanwhile -------------------------------------------------------------


def test_a_changed_price_stands_beside_the_old_one_line_by_line(browser, alice, tea, kettle):
    remember(alice)
    fill(alice, tea, kettle)
    form = form_of(browser.get("/checkout?unit=shop"))
    with transaction():
        db.session.get_one(Price, kettle.price_id).cash = 5_500
    answer = browser.post("/checkout", data=form)
    words = text_of(answer)
    assert answer.status_code == 409
    assert "Kettle · Tin ¥50.00 ¥55.00" in words
    assert "Altogether 100 points + ¥50.00 100 points + ¥55.00" in words
    assert "Green tea · Tin 100" not in words
    assert (orders_in_all(), wallet_of(alice), len(cart_of(alice))) == (0, (1_000, 0), 2)
    assert browser.post("/checkout", data=form_of(answer)).status_code == 307
    assert only_order().cash == 5_500


def test_a_line_that_is_gone_is_named_and_left_out_with_one_button(browser, alice, tea, kettle):
    remember(alice)
    fill(alice, tea, kettle)
    form = form_of(browser.get("/checkout?unit=shop"))
    with transaction():
        catalog.archive_product(product=db.session.get_one(Product, kettle.product_id), by=SYSTEM, now=NOON)
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Kettle · Tin This is no longer offered. Go on without it" in text_of(answer)
    assert orders_in_all() == 0
    without = form_of(answer) | {"change": f"{kettle.variant_id}-{kettle.price_id}-0"}
    rest = browser.post("/checkout/quote", data=without)
    assert "Kettle" not in rest.text
    assert browser.post("/checkout", data=form_of(rest)).status_code == 303
    assert [line.name["en"] for line in only_order().lines] == ["Green tea"]
    assert [item.variant_id for item in cart_of(alice)] == [kettle.variant_id]


def test_too_few_pieces_offer_what_is_left(browser, alice, tea):
    remember(alice)
    fill(alice, tea, quantity=5)
    form = form_of(browser.get("/checkout?unit=shop"))
    with transaction():
        db.session.get_one(Variant, tea.variant_id).stock = 2
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Only 2 pieces are left. Take 2 pieces" in text_of(answer)
    fewer = form_of(answer) | {"change": f"{tea.variant_id}-{tea.price_id}-2"}
    rest = browser.post("/checkout/quote", data=fewer)
    assert browser.post("/checkout", data=form_of(rest)).status_code == 303
    assert (stock_of(tea), wallet_of(alice)) == (0, (800, 0))


def test_what_cannot_be_had_stays_in_the_cart_from_the_beginning(browser, alice, tea, kettle):
    fill(alice, tea, kettle)
    with transaction():
        db.session.get_one(Variant, kettle.variant_id).stock = 0
    words = text_of(browser.get("/checkout?unit=shop"))
    assert "1 thing stays in your cart Kettle · Tin: This is sold out just now." in words
    assert "Order and pay" not in words


def test_points_that_went_elsewhere_are_missing_with_a_way_to_get_them(browser, alice):
    remember(alice)
    fill(alice, make_goods("Car", points=5_000))
    page = browser.get("/checkout?unit=shop")
    assert "4,000 points are missing" in text_of(page)
    assert browser.post("/checkout", data=form_of(page)).status_code == 409
    assert orders_in_all() == 0


def test_more_points_than_may_be_used_are_cut_to_what_may(browser, alice, kettle):
    fill(alice, kettle)
    form = form_of(browser.get("/checkout?unit=shop")) | {"offset": ["1000000000"]}
    assert "To pay in cash ¥40.00" in text_of(browser.post("/checkout/quote", data=form))  # All her 1,000 points.


@pytest.mark.parametrize("offset", ["-1", "x", "1e3", "9" * 400])
def test_an_offset_that_is_no_number_is_refused_with_a_sentence(browser, alice, kettle, offset):
    remember(alice)
    fill(alice, kettle)
    form = form_of(browser.get("/checkout?unit=shop")) | {"offset": [offset]}
    for address in ("/checkout", "/checkout/quote"):
        answer = browser.post(address, data=form)
        assert answer.status_code == 422
        assert "Please give the points as a whole number" in answer.text
    assert orders_in_all() == 0


# --- forms that were tampered with ----------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"cash": "1"},
        {"price": "1"},
        {"lines": ["1-1"]},
        {"lines": ["1-1-1-1-1", "1-1-1-1-1"]},
        {"lines": []},
        {"lines": [f"{number}-1-1" for number in range(1, 60)]},
    ],
)
def test_a_damaged_form_is_refused_and_logged(browser, alice, tea, change, caplog):
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | change
    with caplog.at_level(logging.WARNING, logger="app.mall.checkout"):
        answer = browser.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "This form is damaged" in answer.text
    assert "checkout:" in caplog.text
    assert orders_in_all() == 0


def test_somebody_else_s_address_is_refused(browser, alice, mallory, tea):
    theirs = remember(mallory, line="Secret Lane 1")
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | {"address": [str(theirs)]}
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "not in your address book" in answer.text
    assert "Secret Lane" not in answer.text
    assert orders_in_all() == 0


def test_a_price_seen_that_never_was_asks_again(browser, alice, tea):
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | {"seen_points": ["1"]}
    assert browser.post("/checkout", data=form).status_code == 409
    assert orders_in_all() == 0


def test_a_delivery_that_is_not_offered_is_refused_and_keeps_the_rest(browser, alice, tea):
    remember(alice)
    fill(alice, tea)
    form = form_of(browser.get("/checkout?unit=shop")) | {"delivery": ["drone"]}
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 422
    assert "way of delivery is not offered" in answer.text
    assert "Green tea" in answer.text
    assert orders_in_all() == 0


# --- figures --------------------------------------------------------------------------------


def test_twelve_queries_are_enough_whatever_the_cart_s_size(browser, alice):
    remember(alice)

    def queries():
        with counted() as statements:
            assert browser.get("/checkout?unit=shop").status_code == 200
        return len(statements)

    fill(alice, make_goods("Limited", points=1))
    with transaction():
        product = db.session.scalars(sa.select(Product)).one()
        product.limit_pieces, product.limit_period = 40, "month"
    few = queries()
    fill(alice, *(make_goods(f"Thing {number}", points=1, cash=100) for number in range(12)), quantity=2)
    assert few <= queries() <= 12


@pytest.mark.parametrize(("most", "step"), [(0, 1), (30, 1), (99, 5), (2_860, 100), (100_000, 5_000)])
def test_a_slider_moves_in_round_steps(most, step):
    assert step_of(most) == step


def test_lines_survive_the_way_through_the_form():
    line = Line(12, 5, 2, 380, 1_200)
    assert line_of(str(line)) == line
    assert line_of("12-5-2") == Line(12, 5, 2)
    for nonsense in ("", "12-5", "12-5-x", "12-5--2", "1-1-1-1", "9" * 20 + "-1-1", "１-1-1"):
        assert lines_of([nonsense]) is None
