"""What Stripe reports: signed, stored once, asked again, right in any order."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.database import db
from app.mall.payments import jobs, reports
from app.mall.payments.models import PaymentEvent
from tests.conftest import NOON
from tests.mall.orders.shop import payments_of, state_of, steps_of, wallet_of
from tests.mall.payments.stripe_world import (
    go_and_pay,
    kept,
    order_kettle,
    refunds,
    tell,
    worker,
)
from tests.mall.payments.stripe_world import reports as stored

LATER = NOON + timedelta(minutes=3)


@pytest.fixture
def paid(app, server, order):
    """The member has paid; Stripe's report is on its way."""
    go_and_pay(app, order)
    return server.pay(server.only_session())


# --- once, and in any order ---------------------------------------------------------------------------


def test_the_same_report_five_times_is_processed_once(app, server, alice, order, paid):
    assert [tell(app, paid).status_code for _ in range(5)] == [200] * 5
    assert steps_of(order) == ["placed", "paid"]
    assert wallet_of(alice) == (700, 0)
    assert stored() == [("checkout.session.completed", True, False)]
    assert server.count("session") == 1, "Stripe is not asked again about what is done."


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
def test_reports_in_any_order_come_to_the_same(app, server, alice, order, turn):
    go_and_pay(app, order)
    session = server.only_session()
    told = [server.decline(session), server.pay_slowly(session), server.bank_says(session, good=True)]
    for place in turn:
        assert tell(app, told[place]).status_code == 200
    assert steps_of(order) == ["placed", "paid"]
    assert payments_of(order) == [("paid", 0)]
    assert wallet_of(alice) == (700, 0)


def test_an_old_report_of_expiry_does_not_undo_a_payment(app, server, order, paid):
    tell(app, paid)
    forged = {**paid, "id": "evt_other", "type": "checkout.session.expired"}
    assert tell(app, forged).status_code == 200
    assert payments_of(order) == [("paid", 0)], "What counts is what Stripe says when asked."


def test_a_payload_that_lies_is_not_believed(app, server, order):
    go_and_pay(app, order)
    session = server.only_session()
    lie = {**server.books.sessions[session], "status": "complete", "payment_status": "paid"}
    assert tell(app, server._report("checkout.session.completed", lie)).status_code == 200
    assert state_of(order) == "placed"


def test_a_refund_may_be_reported_before_its_payment(app, server, order, paid):
    (intent,) = server.books.intents
    assert tell(app, server.refund_by_hand(intent, 2_000)).status_code == 200
    assert refunds() == [("gateway", 2_000, "done")]
    assert tell(app, paid).status_code == 200
    assert payments_of(order) == [("paid", 2_000)]
    assert kept() == server.kept() == 3_000


# --- what is of no interest ------------------------------------------------------------------------------


def test_unknown_types_are_answered_and_kept(app, server):
    assert tell(app, server.report("customer.created", id="cus_1", email="alice@example.com")).status_code == 200
    assert stored() == [("customer.created", True, False)]
    assert server.books.told == []


def test_a_session_of_another_shop_on_the_same_account(app, server, order, paid):
    server.books.sessions[server.only_session()]["client_reference_id"] = "another shop's"
    assert tell(app, paid).status_code == 200
    assert state_of(order) == "placed"


def test_a_session_without_any_reference(app, server, order, paid):
    server.books.sessions[server.only_session()]["client_reference_id"] = None
    assert tell(app, paid).status_code == 200
    assert state_of(order) == "placed"


def test_a_refund_of_another_shop(app, server, order, paid):
    (intent,) = server.books.intents
    server.books.intents[intent]["metadata"] = {}
    assert tell(app, server.refund_by_hand(intent, 100)).status_code == 200
    assert refunds() == []


def test_nothing_about_the_person_is_kept(app, server, order, paid):
    tell(app, paid)
    (row,) = db.session.query(PaymentEvent)
    assert row.object_id == server.only_session()
    assert "alice" not in json.dumps(row.payload).lower()
    assert row.payload["object"]["amount_total"] == 5_000


# --- when it goes wrong on our side -------------------------------------------------------------------------


def test_our_own_fault_is_500_and_the_repetition_is_taken(app, server, order, paid, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("app.mall.orders.paying.become_paid", lambda *_args, **_names: 1 / 0)
        assert tell(app, paid).status_code == 500
    assert stored() == [("checkout.session.completed", False, True)]
    assert payments_of(order) == [("open", 0)], "Half a booking is none."
    assert tell(app, paid).status_code == 200
    assert stored() == [("checkout.session.completed", True, False)]
    assert state_of(order) == "paid"


def test_stripe_that_does_not_answer_is_asked_again(app, server, order, paid):
    server.fail("session", 500, times=2)
    assert tell(app, paid).status_code == 500
    assert tell(app, paid).status_code == 200
    assert state_of(order) == "paid"


def test_what_stripe_does_not_repeat_the_job_reads_again(app, server, order, paid):
    server.fail("session", delay=1, times=2)
    assert tell(app, paid).status_code == 500
    assert jobs.read_reports(now=NOON) == 0
    assert jobs.read_reports(now=LATER) == 1
    assert jobs.read_reports(now=LATER) == 0
    assert state_of(order) == "paid"


def test_one_report_that_cannot_be_read_holds_up_no_other(app, server, alice, order, paid):
    other = order_kettle(alice)
    lost = tell(app, {**paid, "id": "evt_lost", "data": {"object": {"id": "cs_nobody_knows"}}})
    assert lost.status_code == 500
    go_and_pay(app, other)
    event = server.pay(list(server.books.sessions)[1])
    server.fail("session", 500, times=2)
    assert tell(app, event).status_code == 500
    assert jobs.read_reports(now=LATER) == 1
    assert (state_of(order), state_of(other)) == ("placed", "paid")


def test_reports_are_forgotten_after_three_months(app, server, order, paid):
    tell(app, paid)
    assert jobs.forget_reports(now=NOON + timedelta(days=89)) == 0
    assert jobs.forget_reports(now=NOON + timedelta(days=91)) == 1
    assert stored() == []


def test_unprocessed_reports_are_never_forgotten(app, server, paid):
    tell(app, {**paid, "data": {"object": {"id": "cs_nobody_knows"}}})
    assert jobs.forget_reports(now=NOON + timedelta(days=900)) == 0


def test_a_dispute_is_for_somebody_to_see_to(app, server, order, paid):
    tell(app, paid)
    assert tell(app, server.report("charge.dispute.created", id="dp_1", amount=5_000)).status_code == 200
    assert stored()[-1] == ("charge.dispute.created", True, True)
    assert state_of(order) == "paid"


def test_where_stripe_is_not_the_gateway_there_is_no_door(application):
    assert "webhooks" not in application.blueprints


def test_processing_a_report_twice_by_hand_changes_nothing(app, server, order, paid):
    row = reports.store(paid, now=NOON)
    assert reports.process(row, now=NOON)
    assert not reports.process(row, now=NOON)
    with clock.freeze(LATER):
        worker(LATER)
    assert state_of(order) == "paid"
