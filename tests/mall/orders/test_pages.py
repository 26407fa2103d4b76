from __future__ import annotations

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation import clock, outbox
from app.foundation.database import db, transaction
from app.identity.members.queries import default_address
from app.mall.catalog.models import Price
from app.mall.orders import jobs
from app.mall.orders.models import Order
from tests.cast import join, sign_in
from tests.conftest import NOON
from tests.factories import give_points
from tests.mall.orders.shop import (
    ADDRESS,
    fresh_key,
    let_the_time_pass,
    make_goods,
    order_some,
    orders_in_all,
    payments_of,
    state_of,
    stock_of,
    wallet_of,
)


def member_with(points, email, name):
    member = join(email, name)
    missing = points - wallet_of(member.id)[0]  # Joining may have brought some already.
    with transaction():
        give_points(member.id, missing, key=f"test:{email}")
    return member


@pytest.fixture
def alice(app):
    return member_with(1_000, "alice@example.com", "Alice Lin")


@pytest.fixture
def mallory(app):
    return member_with(1_000, "mallory@example.com", "Mallory Wu")


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=300, cash=5_000)


def form_of(goods, *, quantity=1, **changes):
    """What the confirmation page sends."""
    fields = {
        "key": fresh_key(),
        "lines": f"{goods.variant_id}-{goods.price_id}-{quantity}",
        "address": "new",
        "seen_points": int(goods.figures.points) * quantity,
        "seen_cash": goods.figures.cash.amount * quantity,
        **ADDRESS,
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def text_of(response):
    """What a person reads, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.text))


def number_of(order_id):
    return db.session.scalars(sa.select(Order.number).where(Order.id == order_id)).one()


def only_order():
    db.session.rollback()
    return db.session.scalars(sa.select(Order)).one()


def confirm(browser, goods, **query):
    return browser.get("/checkout", query_string={"variant": goods.variant_id, "price": goods.price_id, **query})


# --- confirming -----------------------------------------------------------------------------


def test_the_confirmation_shows_every_figure(browser, kettle):
    page = confirm(browser, kettle, quantity=2)
    words = text_of(page)
    assert page.status_code == 200
    for figure in ("300 points", "−600", "400 points", "¥100.00", "You will earn +100"):
        assert figure in words
    assert "Order and pay" in words


def test_points_alone_leave_nothing_to_pay(browser):
    words = text_of(confirm(browser, make_goods(points=100)))
    assert "To pay in cash nothing" in words
    assert "You will earn" not in words
    assert "Redeem now" in words


def test_the_confirmation_says_what_is_missing_and_offers_no_button(browser):
    words = text_of(confirm(browser, make_goods("Car", points=5_000)))
    assert "4,000 points are missing" in words
    assert "Check in" in words
    assert "Redeem now" not in words


@pytest.mark.parametrize(
    "query", [{"quantity": "-1"}, {"quantity": "100"}, {"quantity": "x"}, {"variant": "0"}, {"price": "'"}]
)
def test_a_made_up_address_leads_back_to_the_mall(browser, kettle, query):
    answer = confirm(browser, kettle, **query)
    assert answer.status_code == 302
    assert answer.location == "/mall"


def test_a_voucher_asks_for_no_address(browser):
    assert "Recipient" not in confirm(browser, make_goods("Ticket", points=10, kind="code")).text


def test_visitors_sign_in_first_and_come_back(client, kettle):
    answer = confirm(client, kettle)
    assert answer.status_code == 302
    assert "/session" in answer.location
    assert "variant" in answer.location


# --- placing ---------------------------------------------------------------------------------


def test_redeeming_with_points_alone(browser, alice):
    tea = make_goods(points=100)
    answer = browser.post("/checkout", data=form_of(tea))
    order = only_order()
    assert answer.status_code == 303
    assert answer.location == f"/orders/{order.number}?thanks=1"
    assert "It is yours!" in browser.get(answer.location).text
    assert wallet_of(alice.id) == (900, 0)


def test_the_first_address_is_kept_for_the_next_time(browser, alice):
    tea = make_goods(points=100)
    browser.post("/checkout", data=form_of(tea))
    assert default_address(alice.id).line == "8 Harbour Road"
    browser.post("/checkout", data=form_of(tea, line="Somewhere else"))
    db.session.rollback()
    assert default_address(alice.id).line == "8 Harbour Road"
    assert "8 Harbour Road" in confirm(browser, tea).text


def test_second_click_leads_to_the_same_order(browser, alice):
    form = form_of(make_goods(points=100))
    first, second = (browser.post("/checkout", data=form) for _ in range(2))
    assert first.location.removesuffix("?thanks=1") == second.location
    assert orders_in_all() == 1


@pytest.mark.parametrize(
    "changes", [{"line": ""}, {"phone": "not a phone"}, {"phone": "a@example.com"}, {"recipient": "x" * 81}]
)
def test_an_unusable_address_answers_422_and_keeps_what_was_typed(browser, alice, changes):
    tea = make_goods(points=100)
    answer = browser.post("/checkout", data=form_of(tea, city="Suzhou", **changes))
    assert answer.status_code == 422
    assert "Suzhou" in answer.text
    assert orders_in_all() == 0
    assert wallet_of(alice.id) == (1_000, 0)


def test_control_characters_in_an_address_do_no_harm(browser, alice):
    tea = make_goods(points=100)
    assert browser.post("/checkout", data=form_of(tea, line="8 Harbour\x1f Road\x07")).status_code == 303
    assert only_order().address["line"] == "8 Harbour Road"


def test_a_changed_price_shows_both_and_the_next_click_takes_the_new_one(browser, alice):
    tea = make_goods(points=100)
    with transaction():
        db.session.get_one(Price, tea.price_id).points = 120
    form = form_of(tea)
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Altogether 100 points 120 points" in text_of(answer)
    assert "8 Harbour Road" in answer.text
    assert orders_in_all() == 0
    seen = re.search(r'name="seen_points"[^>]*value="(\d+)"', answer.text).group(1)
    assert seen == "120"
    assert browser.post("/checkout", data=form | {"seen_points": seen}).status_code == 303
    assert wallet_of(alice.id) == (880, 0)


@pytest.mark.parametrize(
    "lie", [{"seen_points": "1"}, {"seen_points": "-100"}, {"seen_points": ""}, {"seen_cash": "1"}]
)
def test_nobody_sets_their_own_price(browser, alice, lie):
    tea = make_goods(points=100)
    assert browser.post("/checkout", data=form_of(tea, **lie)).status_code == 409
    assert orders_in_all() == 0


@pytest.mark.parametrize("quantity", ["0", "-1", "-99999", "100", "1e3", "9" * 400, "", "１"])
def test_absurd_quantities_order_nothing(browser, alice, quantity):
    tea = make_goods(points=1)
    lines = f"{tea.variant_id}-{tea.price_id}-{quantity}"
    browser.post("/checkout", data=form_of(tea) | {"lines": lines, "seen_points": "1"})
    assert orders_in_all() == 0


def test_the_price_of_another_product_orders_nothing(browser, alice):
    tea, sticker = make_goods(points=100), make_goods("Sticker", points=1)
    answer = browser.post("/checkout", data=form_of(tea, lines=f"{tea.variant_id}-{sticker.price_id}-1", seen_points=1))
    assert answer.location == "/mall"
    assert orders_in_all() == 0


def test_a_draft_orders_nothing(browser, alice):
    browser.post("/checkout", data=form_of(make_goods("Secret", points=1, listed=False)))
    assert orders_in_all() == 0


def test_too_few_points_say_how_many_are_missing(browser, alice):
    answer = browser.post("/checkout", data=form_of(make_goods("Car", points=5_000)))
    assert answer.status_code == 409
    assert "4,000 points are missing" in text_of(answer)
    assert orders_in_all() == 0


def test_gone_stock_says_so(browser, alice):
    tea = make_goods(points=100, stock=1)
    form = form_of(tea, quantity=2)
    answer = browser.post("/checkout", data=form)
    assert answer.status_code == 409
    assert "Only 1 piece" in text_of(answer)
    assert (orders_in_all(), stock_of(tea)) == (0, 1)


@pytest.mark.parametrize("key", ["", "short", "x" * 100, "a key with spaces in it"])
def test_a_damaged_form_orders_nothing(browser, alice, key):
    answer = browser.post("/checkout", data=form_of(make_goods(points=100), key=key))
    assert answer.status_code == 422
    assert orders_in_all() == 0


# --- paying at the sandbox -------------------------------------------------------------------


def go_and_pay(browser, goods):
    """Order, and arrive at the sandbox; returns its address."""
    answer = browser.post("/checkout", data=form_of(goods))
    assert answer.status_code == 307
    answer = browser.post(answer.location)
    assert answer.status_code == 303
    assert answer.location.startswith("/sandbox/")
    return answer.location


def test_points_and_cash_paid(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    page = browser.get(bank)
    assert "¥50.00" in page.text
    assert "No money moves" in page.text
    answer = browser.post(f"{bank}/outcome", data={"wish": "pay"})
    order = only_order()
    assert answer.location == f"/orders/{order.number}/payment"
    assert browser.get(answer.location).location == f"/orders/{order.number}?thanks=1"
    assert "It is yours!" in browser.get(answer.location, follow_redirects=True).text
    assert order.state == "paid"
    assert wallet_of(alice.id) == (700, 0)


def test_a_double_click_on_pay_pays_once(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    for _ in range(2):
        assert browser.post(f"{bank}/outcome", data={"wish": "pay"}).status_code == 303
    assert wallet_of(alice.id) == (700, 0)
    assert payments_of(only_order().id) == [("paid", 0)]


def test_declining_after_paying_changes_nothing(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    browser.post(f"{bank}/outcome", data={"wish": "pay"})
    browser.post(f"{bank}/outcome", data={"wish": "decline"})
    assert only_order().state == "paid"


def test_declined_offers_another_try(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    browser.post(f"{bank}/outcome", data={"wish": "decline"})
    order = only_order()
    page = browser.get(f"/orders/{order.number}")
    assert "Pay now" in page.text
    assert "did not go through" in page.text
    again = browser.post(f"/orders/{order.number}/payment").location
    assert again != bank
    browser.post(f"{again}/outcome", data={"wish": "pay"})
    assert only_order().state == "paid"
    assert payments_of(order.id) == [("failed", 0), ("paid", 0)]


def test_abandoned_and_taken_up_again(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    order = only_order()
    assert f"/orders/{order.number}" in browser.get(bank).text
    page = browser.get(f"/orders/{order.number}")
    assert "30 minutes left" in page.text
    assert browser.post(f"/orders/{order.number}/payment").location == bank
    assert wallet_of(alice.id) == (1_000, 300)


def test_anybody_with_the_reference_may_pay(browser, app, kettle):
    bank = go_and_pay(browser, kettle)
    stranger = app.test_client()
    assert stranger.get(bank).status_code == 200
    stranger.post(f"{bank}/outcome", data={"wish": "pay"})
    assert only_order().state == "paid"


def test_a_late_payment_is_paid_back_and_the_order_says_so(browser, alice, kettle):
    bank = go_and_pay(browser, kettle)
    order = only_order()
    late = NOON + timedelta(minutes=31)
    jobs.close_unpaid(now=late)
    with clock.freeze(late):
        browser.post(f"{bank}/outcome", data={"wish": "pay"})
        assert "We are paying it back" in browser.get(f"/orders/{order.number}").text
        db.session.rollback()
        outbox.deliver_due(now=late)
        page = browser.get(f"/orders/{order.number}")
    assert "was paid back in full" in page.text
    assert payments_of(order.id) == [("refunded", 5_000)]
    assert wallet_of(alice.id) == (1_000, 0)
    assert stock_of(kettle) == 10


@pytest.mark.parametrize("reference", ["x", "a" * 32, "../orders", "a" * 200])
def test_an_unknown_reference_is_not_there(client, reference):
    assert client.get(f"/sandbox/{reference}").status_code == 404
    assert client.post(f"/sandbox/{reference}/outcome", data={"wish": "pay"}).status_code in (404, 405)


def test_a_wish_the_sandbox_does_not_know_is_refused(browser, kettle):
    bank = go_and_pay(browser, kettle)
    assert browser.post(f"{bank}/outcome", data={"wish": "refund"}).status_code == 400
    assert state_of(only_order().id) == "placed"


# --- one order -------------------------------------------------------------------------------


def test_cancelling_releases_the_points(browser, alice, kettle):
    order_id = order_some(alice.id, kettle)
    number = number_of(order_id)
    assert browser.post(f"/orders/{number}/cancellation").status_code == 303
    assert "You cancelled this order" in browser.get(f"/orders/{number}").text
    assert wallet_of(alice.id) == (1_000, 0)
    assert stock_of(kettle) == 10


def test_confirming_the_receipt(browser, alice):
    goods = make_goods("Massage", points=10, kind="service")
    massage = order_some(alice.id, goods, address=None)
    let_the_time_pass(goods)
    number = number_of(massage)
    assert "I have received it" in browser.get(f"/orders/{number}").text
    browser.post(f"/orders/{number}/receipt")
    assert state_of(massage) == "delivered"


def test_a_receipt_before_shipping_is_refused(browser, alice):
    order_id = order_some(alice.id, make_goods(points=10))
    assert browser.post(f"/orders/{number_of(order_id)}/receipt").status_code == 409
    assert state_of(order_id) == "paid"


@pytest.mark.parametrize("verb", ["payment", "cancellation", "receipt"])
def test_other_peoples_orders_are_not_there(browser, mallory, kettle, verb):
    theirs = order_some(mallory.id, kettle)
    number = number_of(theirs)
    assert browser.get(f"/orders/{number}").status_code == 404
    assert browser.post(f"/orders/{number}/{verb}").status_code == 404
    assert number not in browser.get("/orders").text
    assert state_of(theirs) == "placed"
    assert payments_of(theirs) == []


@pytest.mark.parametrize("number", ["1", "J000000AAAAAA", "J260615" + "I" * 6, "x" * 300])
def test_numbers_that_are_none_are_not_there(browser, number):
    assert browser.get(f"/orders/{number}").status_code == 404


def test_htmx_gets_the_fragment_alone(browser, alice, kettle):
    number = number_of(order_some(alice.id, kettle))
    part = browser.get(f"/orders/{number}", headers={"HX-Request": "true", "HX-Target": "order"})
    assert part.text.lstrip().startswith("<div")
    assert "<html" not in part.text
    assert "HX-Request" in part.headers["Vary"]


# --- the list ---------------------------------------------------------------------------------


def test_no_orders_yet_leads_to_the_mall(browser):
    assert "No orders yet" in browser.get("/orders").text


def test_the_list_filters_and_pages(browser, alice, kettle, monkeypatch):
    monkeypatch.setattr("app.mall.orders.views.PAGE", 2)
    tea = make_goods(points=10)
    waiting = number_of(order_some(alice.id, kettle))
    paid = [number_of(order_some(alice.id, tea)) for _ in range(3)]
    first = browser.get("/orders")
    assert [number in first.text for number in (*paid, waiting)] == [False, True, True, False]
    next_url = re.search(r'rel="next" href="([^"]+)"', first.text).group(1)
    second = browser.get(next_url)
    assert [number in second.text for number in (*paid, waiting)] == [True, False, False, True]
    to_pay = browser.get("/orders?show=to-pay")
    assert waiting in to_pay.text
    assert not any(number in to_pay.text for number in paid)
    assert "None of your orders" in browser.get("/orders?show=ended").text
    assert browser.get("/orders?show=nonsense&after=x").status_code == 200
