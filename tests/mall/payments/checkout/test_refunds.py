"""Money that goes back: whole, in parts, once, and never more than came."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.foundation import outbox
from app.foundation.actors import SYSTEM, Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.money import Money
from app.mall.payments import actions, jobs
from app.mall.payments.errors import RefundDiffers, RefundTooLarge
from app.mall.payments.gateways import GatewayUnavailable
from app.mall.payments.models import Payment, Refund
from tests.conftest import NOON
from tests.mall.orders.shop import payments_of, state_of
from tests.mall.payments.stripe_world import go_and_pay, kept, only_payment, refunds, tell, worker

SOON = NOON + timedelta(minutes=2)
STAFF = Actor("staff", 7, "Arthur Gao")


@pytest.fixture
def payment(app, server, order):
    """¥50 that have arrived."""
    go_and_pay(app, order)
    tell(app, server.pay(server.only_session()))
    return only_payment().id


def give_back(payment, amount, key="return:1", *, by=SYSTEM, currency="CNY"):
    with transaction():
        made = actions.refund(
            payment_id=payment, amount=Money(amount, currency), key=key, reason="return", by=by, now=NOON
        )
        return made.id


def at_stripe(server):
    return [(refund["amount"], refund["status"]) for refund in server.books.refunds.values()]


def the_refund(server):
    (number,) = server.books.refunds
    return number


def test_a_part_goes_back(app, server, order, payment):
    give_back(payment, 2_000)
    assert refunds() == [("return", 2_000, "asked")]
    assert server.books.refunds == {}, "Stripe is spoken to after the commit."
    worker(NOON)
    assert refunds() == [("return", 2_000, "pending")]
    tell(app, server.bank_refunds(the_refund(server)))
    assert refunds() == [("return", 2_000, "done")]
    assert payments_of(order) == [("paid", 2_000)]
    assert state_of(order) == "paid"
    assert kept() == server.kept() == 3_000


def test_all_of_it_in_parts(app, server, order, payment):
    for number, amount in enumerate((1_500, 1_500, 2_000)):
        give_back(payment, amount, f"return:{number}")
    worker(NOON)
    for number in list(server.books.refunds):
        tell(app, server.bank_refunds(number))
    assert payments_of(order) == [("refunded", 5_000)]
    assert kept() == server.kept() == 0


def test_the_same_key_gives_back_once(app, server, payment):
    assert give_back(payment, 2_000) == give_back(payment, 2_000)
    worker(NOON)
    assert at_stripe(server) == [(2_000, "pending")]


def test_the_same_key_with_another_amount_is_refused(payment):
    give_back(payment, 2_000)
    with pytest.raises(RefundDiffers):
        give_back(payment, 2_001)
    assert refunds() == [("return", 2_000, "asked")]


def test_never_more_than_was_paid(app, server, payment):
    with pytest.raises(RefundTooLarge, match=r"50\.00"):
        give_back(payment, 5_001)
    give_back(payment, 4_000)
    with pytest.raises(RefundTooLarge, match=r"10\.00"):
        give_back(payment, 1_001, "return:2")
    assert refunds() == [("return", 4_000, "asked")]


@pytest.mark.parametrize(("amount", "currency"), [(0, "CNY"), (-100, "CNY"), (100, "USD")])
def test_an_amount_that_makes_no_sense_is_refused(payment, amount, currency):
    with pytest.raises(InvalidInput):
        give_back(payment, amount, currency=currency)


def test_what_was_not_paid_is_not_given_back(app, server, order):
    go_and_pay(app, order)
    with pytest.raises(DomainError):
        give_back(only_payment().id, 100)


def test_the_database_itself_is_the_last_line(payment):
    for broken in ({"refund_total": 5_001}, {"refunded": 1}, {"refund_total": 100, "state": "failed"}):
        with pytest.raises(IntegrityError), transaction():
            db.session.execute(sa.update(Payment).where(Payment.id == payment).values(**broken))


def test_a_refund_by_a_colleague_is_in_the_audit_log(payment):
    give_back(payment, 2_000, by=STAFF)
    entry = db.session.query(AuditEntry).filter_by(action="payment.refund").one()
    assert entry.actor_label == "Arthur Gao"
    assert entry.after["amount"] == "CNY 20.00"


# --- the bank -------------------------------------------------------------------------------------------


def test_a_refund_that_the_bank_sends_back_can_be_given_again(app, server, order, payment):
    give_back(payment, 5_000)
    worker(NOON)
    tell(app, server.bank_refunds(the_refund(server)))
    assert payments_of(order) == [("refunded", 5_000)]
    tell(app, server.bank_refunds(the_refund(server), "failed"))
    assert refunds() == [("return", 5_000, "failed")]
    assert payments_of(order) == [("paid", 0)]
    assert kept() == server.kept() == 5_000
    give_back(payment, 5_000, "return:1:again")
    worker(SOON)
    assert refunds()[1] == ("return", 5_000, "pending")
    assert kept() == server.kept() == 0


def test_an_outdated_answer_changes_nothing(app, server, order, payment):
    refund = give_back(payment, 5_000)
    worker(NOON)
    tell(app, server.bank_refunds(the_refund(server)))
    outdated = actions.RefundAnswer(the_refund(server), "pending")
    with transaction():
        actions.record_refund(refund_id=refund, answer=outdated, now=SOON)
    assert refunds() == [("return", 5_000, "done")]
    assert payments_of(order) == [("refunded", 5_000)]


def test_reports_of_a_refund_in_any_order(app, server, order, payment):
    give_back(payment, 5_000)
    worker(NOON)
    created = next(event for event in server.books.events if event["type"] == "refund.created")
    done = server.bank_refunds(the_refund(server))
    for event in (done, created, done, created):
        assert tell(app, event).status_code == 200
    assert refunds() == [("return", 5_000, "done")]
    assert payments_of(order) == [("refunded", 5_000)]


def test_a_slow_bank_is_asked_every_hour(app, server, order, payment):
    give_back(payment, 5_000)
    worker(NOON)
    server.bank_refunds(the_refund(server))  # Its report gets lost.
    assert jobs.settle_refunds(now=NOON + timedelta(minutes=30)) == 0
    assert jobs.settle_refunds(now=NOON + timedelta(minutes=61)) == 1
    assert refunds() == [("return", 5_000, "done")]
    assert jobs.settle_refunds(now=NOON + timedelta(hours=9)) == 0


# --- by a colleague's hand at Stripe -----------------------------------------------------------------------


def test_a_refund_by_hand_at_stripe_is_in_our_books(app, server, order, payment):
    (intent,) = server.books.intents
    event = server.refund_by_hand(intent, 1_200)
    for _ in range(2):
        assert tell(app, event).status_code == 200
    assert refunds() == [("gateway", 1_200, "done")]
    assert payments_of(order) == [("paid", 1_200)]
    assert kept() == server.kept() == 3_800


def test_a_refund_by_hand_while_ours_is_still_on_its_way_is_taken_for_ours(app, server, order, payment):
    give_back(payment, 5_000)
    (intent,) = server.books.intents
    assert tell(app, server.refund_by_hand(intent, 5_000)).status_code == 200
    worker(NOON)
    assert refunds() == [("return", 5_000, "done")]
    assert kept() == server.kept() == 0
    assert server.count("refund") == 0


def test_more_by_hand_than_our_books_have_is_for_somebody_to_see_to(app, server, payment):
    give_back(payment, 3_000)
    (intent,) = server.books.intents
    assert tell(app, server.refund_by_hand(intent, 4_000)).status_code == 500
    assert refunds() == [("return", 3_000, "asked")]


# --- bad lines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
def test_a_cut_line_gives_back_once(app, server, payment, after):
    server.fail("refund", after=after, times=2)
    give_back(payment, 2_000)
    worker(NOON)
    worker(NOON + timedelta(minutes=5))
    assert at_stripe(server) == [(2_000, "pending")]
    assert refunds() == [("return", 2_000, "pending")]


@pytest.mark.parametrize("after", [False, True])
def test_a_fault_of_stripes_gives_back_once(app, server, payment, after):
    """Stripe keeps its 500 under the key, so the next try needs another. Whether the first came through is asked."""
    server.fail("refund", 500, after=after)
    give_back(payment, 2_000)
    worker(NOON)
    worker(NOON + timedelta(minutes=5))
    assert at_stripe(server) == [(2_000, "pending")]
    assert refunds() == [("return", 2_000, "pending")]
    assert kept() == server.kept() == 3_000


def test_an_answer_too_late_gives_back_once(app, server, payment):
    server.fail("refund", after=True, delay=0.6, times=2)
    give_back(payment, 2_000)
    worker(NOON)
    worker(NOON + timedelta(minutes=5))
    assert at_stripe(server) == [(2_000, "pending")]
    assert refunds() == [("return", 2_000, "pending")]


def test_when_the_outbox_has_given_up_the_job_goes_on(app, server, payment):
    give_back(payment, 2_000)
    server.fail("refunds", 500, times=40)
    for hours in range(0, 5 * outbox.ATTEMPTS, 5):
        worker(NOON + timedelta(hours=hours))
    server.books.faults.clear()
    later = NOON + timedelta(days=3)
    worker(later)
    assert refunds() == [("return", 2_000, "asked")]
    assert jobs.settle_refunds(now=later) == 1
    assert refunds() == [("return", 2_000, "pending")]


def test_a_refusal_is_noted_and_tried_again_with_another_key(app, server, payment):
    server.fail("refund", 402)
    give_back(payment, 2_000)
    worker(NOON)
    row = db.session.query(Refund).one()
    assert (row.state, row.tries) == ("asked", 1)
    assert "402" in row.error
    worker(NOON + timedelta(minutes=5))
    keys = [told.key for told in server.books.told if told.place == "refund"]
    assert keys == ["refund:return:1:0", "refund:return:1:1"]
    assert refunds() == [("return", 2_000, "pending")]


def test_the_gateway_is_asked_with_the_fact_as_the_key(app, server, order):
    go_and_pay(app, order)
    (told,) = server.books.told
    assert told.key == f"payment:{only_payment().reference}"


def test_a_gateway_that_is_down_leaves_the_promise_standing(app, server, payment):
    refund = give_back(payment, 2_000)
    server.fail("refunds", 503, times=2)
    with pytest.raises(GatewayUnavailable):
        jobs.carry_out(refund, now=NOON)
    assert refunds() == [("return", 2_000, "asked")]
