"""From the button to the bank and back, with Stripe's own library over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation.database import transaction
from app.identity.members.queries import member_by_id
from app.mall.orders import actions, jobs
from app.mall.payments import jobs as payment_jobs
from app.mall.payments.gateways import GatewayRefused, GatewayUnavailable
from tests.conftest import NOON
from tests.mall.orders.shop import payments_of, state_of, steps_of, wallet_of
from tests.mall.payments.stripe_server import HALF
from tests.mall.payments.stripe_world import (
    go_and_pay,
    kept,
    only_payment,
    order_kettle,
    refunds,
    tell,
    tell_everything,
    worker,
)

LATE = NOON + timedelta(minutes=31)


def test_the_member_is_sent_to_stripes_page(app, server, order):
    where = go_and_pay(app, order)
    session = server.books.sessions[server.only_session()]
    assert where == session["url"]
    assert (session["amount_total"], session["currency"]) == (5_000, "cny")
    wanted = session["wanted"]
    assert wanted["allowed_payment_method_types"] == ["card", "alipay", "wechat_pay"]
    assert wanted["success_url"] == "http://points.test/orders/1/payment"
    assert wanted["client_reference_id"] == only_payment().reference
    assert "alice" not in str(wanted).lower(), "Stripe is told nothing about the person."


def test_a_page_lives_until_the_order_closes_or_as_short_as_stripe_allows(app, server, order):
    go_and_pay(app, order)
    session = server.books.sessions[server.only_session()]
    assert session["expires_at"] == int((NOON + timedelta(minutes=31)).timestamp())


def test_a_double_click_opens_one_page(app, server, order):
    assert go_and_pay(app, order) == go_and_pay(app, order)
    assert len(server.books.sessions) == 1


def test_paid_and_reported(app, server, alice, order):
    go_and_pay(app, order)
    assert tell(app, server.pay(server.only_session())).status_code == 200
    assert steps_of(order) == ["placed", "paid"]
    assert wallet_of(alice) == (700, 0)
    payment = only_payment()
    assert (payment.state, payment.session_id) == ("paid", server.only_session())
    assert payment.intent_id in server.books.intents
    assert payment.final_at == NOON
    assert kept() == server.kept() == 5_000


def test_a_declined_card_leaves_the_page_open(app, server, order):
    where = go_and_pay(app, order)
    assert tell(app, server.decline(server.only_session())).status_code == 200
    assert payments_of(order) == [("open", 0)]
    assert go_and_pay(app, order) == where
    tell(app, server.pay(server.only_session()))
    assert state_of(order) == "paid"


def test_a_bank_that_thinks_and_says_yes(app, server, order):
    go_and_pay(app, order)
    tell(app, server.pay_slowly(server.only_session()))
    assert payments_of(order) == [("open", 0)]
    tell(app, server.bank_says(server.only_session(), good=True))
    assert state_of(order) == "paid"


def test_a_bank_that_thinks_and_says_no_leaves_room_for_another_try(app, server, order):
    go_and_pay(app, order)
    tell(app, server.pay_slowly(server.only_session()))
    tell(app, server.bank_says(server.only_session(), good=False))
    assert (state_of(order), payments_of(order)) == ("placed", [("failed", 0)])
    go_and_pay(app, order)
    assert len(server.books.sessions) == 2
    tell(app, server.pay(list(server.books.sessions)[1]))
    assert (state_of(order), payments_of(order)) == ("paid", [("failed", 0), ("paid", 0)])


def test_a_page_that_has_expired_is_not_opened_again(app, server, order):
    go_and_pay(app, order)
    server.time_passes(server.only_session())
    assert go_and_pay(app, order) == "/orders/1/payment", "Our own page says what happened and offers another try."
    assert payments_of(order) == [("failed", 0)]
    assert go_and_pay(app, order).startswith(server.url)


def test_who_has_paid_is_not_sent_to_pay_again(app, server, order):
    go_and_pay(app, order)
    server.pay(server.only_session())  # Its report is still on the way.
    assert go_and_pay(app, order) == "/orders/1/payment"
    assert state_of(order) == "paid"


# --- when the order ends first ---------------------------------------------------------------------


def test_closing_the_order_closes_the_page(app, server, alice, order):
    go_and_pay(app, order)
    jobs.close_unpaid(now=LATE)
    worker(LATE)
    assert server.books.sessions[server.only_session()]["status"] == "expired"
    assert only_payment().final_at == LATE
    assert wallet_of(alice) == (1_000, 0)


def test_cancelling_closes_the_page(app, server, alice, order):
    go_and_pay(app, order)
    with transaction():
        actions.cancel(order_id=order, by=member_by_id(alice).actor, now=NOON)
    worker(NOON)
    assert server.books.sessions[server.only_session()]["status"] == "expired"


def test_an_order_that_nobody_began_to_pay_asks_stripe_nothing(app, server, order):
    jobs.close_unpaid(now=LATE)
    worker(LATE)
    assert server.books.told == []


def test_paid_just_before_closing_and_reported_after_is_paid_back(app, server, alice, order):
    go_and_pay(app, order)
    event = server.pay(server.only_session())
    jobs.close_unpaid(now=LATE)
    assert tell(app, event).status_code == 200
    assert refunds() == [("late", 5_000, "asked")]
    worker(LATE)
    assert refunds() == [("late", 5_000, "pending")]
    (refund,) = server.books.refunds
    tell(app, server.bank_refunds(refund))
    assert refunds() == [("late", 5_000, "done")]
    assert payments_of(order) == [("refunded", 5_000)]
    assert (wallet_of(alice), state_of(order)) == ((1_000, 0), "closed")
    assert kept() == server.kept() == 0


def test_paid_before_closing_with_every_report_lost_is_found_when_the_page_is_closed(app, server, order):
    go_and_pay(app, order)
    server.pay(server.only_session())
    jobs.close_unpaid(now=LATE)
    worker(LATE)
    worker(LATE)
    assert refunds() == [("late", 5_000, "pending")]
    assert kept() == server.kept() == 0


def test_the_order_ends_while_stripe_makes_the_page(app, server, order, monkeypatch):
    from app.mall.payments.stripe import Stripe

    made = Stripe._hand_over

    def closed_meanwhile(self, reference, session):
        jobs.close_unpaid(now=LATE)
        return made(self, reference, session)

    monkeypatch.setattr(Stripe, "_hand_over", closed_meanwhile)
    with pytest.raises(GatewayRefused):
        go_and_pay(app, order)
    assert server.books.sessions[server.only_session()]["status"] == "expired"


def test_two_pages_both_paid_keep_one_payment(app, server, order):
    go_and_pay(app, order)
    first = server.only_session()
    tell(app, server.pay_slowly(first))
    server.books.intents[server.books.sessions[first]["payment_intent"]]["status"] = "requires_payment_method"
    go_and_pay(app, order)
    go_and_pay(app, order)
    second = list(server.books.sessions)[1]
    tell(app, server.pay(second))
    tell(app, server.bank_says(first, good=True))  # The bank has changed its mind.
    worker(NOON)
    assert state_of(order) == "paid"
    assert refunds() == [("late", 5_000, "pending")]
    assert kept() == server.kept() == 5_000


# --- when the line is bad -----------------------------------------------------------------------------


def test_an_answer_that_never_comes_makes_no_second_page(app, server, order):
    server.fail("open", after=True, delay=1, times=2)
    with pytest.raises(GatewayUnavailable):
        go_and_pay(app, order)
    assert only_payment().session_id is None
    assert go_and_pay(app, order).startswith(server.url)
    assert len(server.books.sessions) == 1, "The same key is the same page."


def test_a_line_that_is_cut_is_tried_again_at_once(app, server, order):
    server.fail("open", after=True)
    assert go_and_pay(app, order).startswith(server.url)
    assert len(server.books.sessions) == 1


def test_a_fault_of_stripes_is_not_replayed_for_a_day(app, server, order):
    server.fail("open", 500)
    with pytest.raises(GatewayUnavailable):
        go_and_pay(app, order)
    assert payments_of(order) == [("failed", 0)]
    assert go_and_pay(app, order).startswith(server.url)
    tell_everything(app, server)
    assert payments_of(order) == [("failed", 0), ("open", 0)]


def test_an_answer_that_breaks_off_is_no_answer(app, server, order):
    server.fail("open", HALF, after=True)
    with pytest.raises(GatewayUnavailable):
        go_and_pay(app, order)
    assert go_and_pay(app, order).startswith(server.url)
    assert len(server.books.sessions) == 1


@pytest.mark.parametrize(("status", "times"), [(409, 2), (429, 1)])
def test_stripe_is_busy(app, server, order, status, times):
    server.fail("open", status, times=times)  # The library itself tries a 409 once more.
    with pytest.raises(GatewayUnavailable):
        go_and_pay(app, order)
    assert payments_of(order) == [("open", 0)], "Nothing was done: the same attempt is tried again."
    assert go_and_pay(app, order).startswith(server.url)


def test_a_wrong_key_charges_nobody(app, server, order, monkeypatch):
    from tests.mall.payments import stripe_server

    monkeypatch.setattr(stripe_server, "KEY", "sk_test_another")
    with pytest.raises(GatewayUnavailable):
        go_and_pay(app, order)
    assert server.books.sessions == {}


def test_a_bad_line_while_asking_leaves_things_as_they_are(app, server, order):
    go_and_pay(app, order)
    server.pay(server.only_session())
    server.fail("session", 500, times=2)
    later = NOON + timedelta(minutes=3)
    assert payment_jobs.settle_payments(now=later) == 0
    assert state_of(order) == "placed"
    assert payment_jobs.settle_payments(now=later + timedelta(minutes=6)) == 1
    assert state_of(order) == "paid"


# --- when no report ever comes -----------------------------------------------------------------------


def test_without_any_report_the_worker_asks(app, server, order):
    go_and_pay(app, order)
    server.pay(server.only_session())
    assert payment_jobs.settle_payments(now=NOON + timedelta(minutes=1)) == 0, "The report is still on its way."
    assert payment_jobs.settle_payments(now=NOON + timedelta(minutes=3)) == 1
    assert state_of(order) == "paid"
    assert payment_jobs.settle_payments(now=NOON + timedelta(minutes=30)) == 0, "Nothing is in doubt any more."


def test_what_is_still_open_is_asked_about_every_five_minutes(app, server, order):
    go_and_pay(app, order)
    asked = [payment_jobs.settle_payments(now=NOON + timedelta(minutes=minute)) for minute in range(2, 13)]
    assert asked == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert state_of(order) == "placed"


def test_a_page_that_could_not_be_closed_is_closed_by_the_job(app, server, order):
    go_and_pay(app, order)
    jobs.close_unpaid(now=LATE)
    server.fail("expire", 503, times=2)
    worker(LATE)
    assert server.books.sessions[server.only_session()]["status"] == "open"
    payment_jobs.settle_payments(now=LATE)
    assert server.books.sessions[server.only_session()]["status"] == "expired"
    assert only_payment().final_at is not None


def test_another_amount_than_ours_is_not_booked(app, server, order):
    go_and_pay(app, order)
    event = server.pay(server.only_session())
    server.books.sessions[server.only_session()]["amount_total"] = 1
    assert tell(app, event).status_code == 500
    assert state_of(order) == "placed"
    assert payments_of(order) == [("open", 0)]


def test_many_members_pay_at_their_own_pages(app, server, alice):
    orders = [order_kettle(alice) for _ in range(3)]
    for order in orders:
        go_and_pay(app, order)
    tell(app, server.pay(list(server.books.sessions)[1]))
    assert [state_of(order) for order in orders] == ["placed", "paid", "placed"]
