"""What members and colleagues see of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.identity.members.queries import member_by_id
from app.mall.orders import jobs as order_jobs
from app.mall.orders.models import Order
from app.mall.payments import actions
from app.mall.payments.errors import NotCollectable
from tests.cast import employ, make_unit, sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import make_goods, order_some, state_of, stock_of
from tests.mall.payments.stripe_world import only_payment, tell, worker

LATE = NOON + timedelta(minutes=31)


@pytest.fixture(autouse=True)
def no_form_tokens(app, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


@pytest.fixture
def browser(app, alice):
    return sign_in(app.test_client(), member_by_id(alice))


@pytest.fixture
def number(order):
    return db.session.get_one(Order, order).number


@pytest.fixture
def office(app):
    return sign_in(app.test_client(), employ("auditor", "Aya Sun"))


@pytest.fixture
def at_stripe(server, browser, number):
    """Alice has pressed the button and stands at Stripe's page."""
    answer = browser.post(f"/orders/{number}/payment")
    assert answer.status_code == 303
    return answer.location


def test_the_button_leads_to_stripe_and_back_to_this_shop(server, at_stripe, number):
    session = server.books.sessions[server.only_session()]
    assert at_stripe == session["url"]
    assert session["wanted"]["success_url"] == f"http://points.test/orders/{number}/payment"
    assert session["wanted"]["cancel_url"] == f"http://points.test/orders/{number}?left=1"
    assert number in session["wanted"]["line_items"][0]["price_data"]["product_data"]["name"]


def test_the_policy_of_our_pages_lets_the_form_lead_there(app, server, browser, number):
    policy = browser.get(f"/orders/{number}").headers["Content-Security-Policy"]
    assert f"form-action 'self' {server.url}" in policy
    assert "script-src 'self';" in policy


def test_back_before_the_report_stripe_is_asked(server, browser, order, number, at_stripe):
    server.pay(server.only_session())
    answer = browser.get(f"/orders/{number}/payment")
    assert answer.location == f"/orders/{number}?thanks=1"
    assert state_of(order) == "paid"
    assert "It is yours!" in browser.get(answer.location).text


def test_back_while_the_bank_is_thinking_the_page_waits(server, browser, order, number, at_stripe):
    server.pay_slowly(server.only_session())
    page = browser.get(f"/orders/{number}/payment")
    assert "We are waiting for the confirmation" in page.text
    assert 'hx-trigger="every 3s"' in page.text
    assert "Look again" in page.text, "Without JavaScript there is a link."
    assert "Pay now" not in page.text
    assert state_of(order) == "placed"


def test_the_waiting_page_goes_on_by_itself(app, server, browser, number, at_stripe):
    server.pay_slowly(server.only_session())
    browser.get(f"/orders/{number}/payment")
    assert poll(browser, number).status_code == 204, "Nothing new: the page stays as it is."
    tell(app, server.bank_says(server.only_session(), good=True))
    assert poll(browser, number).headers["HX-Redirect"] == f"/orders/{number}?thanks=1"


def test_the_waiting_page_says_when_it_failed(app, server, browser, number, at_stripe):
    tell(app, server.pay_slowly(server.only_session()))
    tell(app, server.bank_says(server.only_session(), good=False))
    part = poll(browser, number).text
    assert part.lstrip().startswith('<div id="payment"')
    assert "did not go through" in part


def poll(browser, number):
    return browser.get(f"/orders/{number}/payment", headers={"HX-Request": "true", "HX-Target": "payment"})


def test_however_often_the_page_looks_stripe_is_asked_every_eight_seconds(server, browser, number, at_stripe):
    server.pay_slowly(server.only_session())
    for seconds in range(0, 20, 2):
        with clock.freeze(NOON + timedelta(seconds=seconds)):
            browser.get(f"/orders/{number}/payment")
    assert server.count("session") == 2


def test_while_stripe_does_not_answer_the_page_waits(server, browser, order, number, at_stripe):
    server.pay(server.only_session())
    server.fail("session", 500, times=2)
    assert "We are waiting for the confirmation" in browser.get(f"/orders/{number}/payment").text
    with clock.freeze(NOON + timedelta(seconds=10)):
        assert browser.get(f"/orders/{number}/payment").location == f"/orders/{number}?thanks=1"


def test_a_payment_that_failed_offers_another_try(app, server, browser, number, at_stripe):
    tell(app, server.pay_slowly(server.only_session()))
    tell(app, server.bank_says(server.only_session(), good=False))
    page = browser.get(f"/orders/{number}/payment")
    assert "did not go through" in page.text
    assert "Try again" in page.text
    assert "every 3s" not in page.text
    again = browser.post(f"/orders/{number}/payment").location
    assert again.startswith(server.url)
    assert again != at_stripe


def test_who_leaves_stripes_page_reads_that_nothing_was_charged(browser, number, at_stripe):
    page = browser.get(f"/orders/{number}?left=1")
    assert "Nothing was charged, and your order is still reserved" in page.text
    assert "Pay now" in page.text
    assert browser.post(f"/orders/{number}/payment").location == at_stripe


def test_when_stripe_is_down_the_order_stands(server, browser, order, number):
    server.fail("open", 503, times=2)
    answer = browser.post(f"/orders/{number}/payment")
    assert answer.location == f"/orders/{number}"
    assert "Nothing was charged" in browser.get(answer.location).text
    assert state_of(order) == "placed"
    assert browser.post(f"/orders/{number}/payment").location.startswith(server.url)


def test_an_order_that_nobody_began_to_pay_has_no_such_page(browser, number):
    assert browser.get(f"/orders/{number}/payment").location == f"/orders/{number}"


def test_the_payment_of_somebody_else_is_not_there(app, server, number, at_stripe):
    mallory = make_member(name="Mallory Wu", email="mallory@example.com")
    mallory = sign_in(app.test_client(), member_by_id(mallory))
    assert mallory.get(f"/orders/{number}/payment").status_code == 404
    assert mallory.post(f"/orders/{number}/payment").status_code == 404


def test_paid_too_late_and_paid_back(app, server, browser, number, at_stripe):
    event = server.pay(server.only_session())
    order_jobs.close_unpaid(now=LATE)
    tell(app, event)
    assert "We are paying it back" in browser.get(f"/orders/{number}").text
    worker(LATE)
    (refund,) = server.books.refunds
    tell(app, server.bank_refunds(refund))
    page = browser.get(f"/orders/{number}").text
    assert "was paid back in full" in page
    assert "¥50.00 were paid back" in page


def test_a_part_that_was_paid_back_is_in_the_history(app, server, browser, number, at_stripe):
    tell(app, server.pay(server.only_session()))
    _give_back(2_000)
    worker(NOON)
    (refund,) = server.books.refunds
    tell(app, server.bank_refunds(refund))
    page = browser.get(f"/orders/{number}").text
    assert "¥20.00 were paid back" in page
    assert "too late" not in page
    assert (only_payment().state, only_payment().refunded) == ("paid", 2_000)


def _give_back(amount):
    with transaction():
        actions.refund(
            payment_id=only_payment().id,
            amount=Money(amount, "CNY"),
            key="return:1",
            reason="return",
            by=SYSTEM,
            now=NOON,
        )


def test_colleagues_see_what_came_and_went_with_the_gateways_names(app, server, office, number, at_stripe):
    tell(app, server.pay(server.only_session()))
    _give_back(2_000)
    worker(NOON)
    page = office.get(f"/backoffice/orders/{number}").text
    (intent,), (refund,) = server.books.intents, server.books.refunds
    assert f"https://dashboard.stripe.com/test/payments/{intent}" in page
    assert refund in page
    assert "¥20.00" in page


def test_all_in_order_says_so(server, office):
    page = office.get("/backoffice/payments")
    assert page.status_code == 200
    assert "Nothing to see to" in page.text
    assert "No reports yet" in page.text


def test_what_needs_a_look_is_listed(app, server, office, number, at_stripe):
    tell(app, server.pay(server.only_session()))
    _give_back(2_000)
    worker(NOON)
    (refund,) = server.books.refunds
    tell(app, server.bank_refunds(refund, "failed"))
    tell(app, server.report("charge.dispute.created", id="dp_1"))
    page = office.get("/backoffice/payments").text
    assert "Nothing to see to" not in page
    assert "lost_or_stolen_card" in page
    assert "A bank disputes this payment" in page
    assert "checkout.session.completed" in page


def test_the_list_of_payments_is_not_for_merchants(app, server):
    merchant = sign_in(app.test_client(), employ("merchant", "Mei Zhao", (make_unit(),)))
    assert merchant.get("/backoffice/payments").status_code == 403


def test_cash_below_what_stripe_takes_is_refused_before_anything_is_reserved(app, server, alice):
    tea = make_goods(points=100, cash=399)
    with pytest.raises(NotCollectable, match=r"4\.00"):
        order_some(alice, tea)
    assert stock_of(tea) == 10
    assert server.books.told == []
