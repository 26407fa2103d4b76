"""What leaves the house through the outbox, and what is asked again because nobody told us.

A process may die between any two steps, and a webhook may get lost. Nothing is in doubt for longer than a few
minutes: whatever is not final is asked for, and asking twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from app.foundation import clock, outbox
from app.foundation.database import db, transaction
from app.foundation.jobs import periodic
from app.mall.payments import actions, gateways, queries, reports
from app.mall.payments.gateways import Doubt, GatewayRefused
from app.mall.payments.models import PaymentEvent

log = logging.getLogger(__name__)
T = TypeVar("T")

BATCH = 200
PATIENCE = timedelta(minutes=2)  # A person is still paying, a webhook still on its way.
AGAIN = timedelta(minutes=5)
ASK_REFUNDS = timedelta(hours=1)  # Banks take days.
KEPT = timedelta(days=90)  # Stripe repeats a report for three days.


@outbox.channel(actions.REFUND)
def deliver_refund(payload: dict[str, Any]) -> None:
    """Give money back. May be called twice: gateways know the key, and we write it down once."""
    carry_out(payload["refund_id"], now=clock.now())


@outbox.channel(actions.CLOSE)
def deliver_close(payload: dict[str, Any]) -> None:
    """Nobody shall pay any more for an order that has ended."""
    doubt = queries.doubt_of(payload["payment_id"])
    db.session.rollback()
    if doubt is not None:
        gateways.named(doubt.gateway).close_payment(reference=doubt.reference)


def carry_out(refund_id: int, *, now: datetime) -> None:
    """Ask the gateway for a refund, or how it stands. Raises what the gateway raises."""
    with transaction():
        actions.note_refund_asked(refund_id=refund_id, now=now)
        found = queries.refund_order(refund_id)
    if found is None:
        return
    name, order = found
    try:
        answer = gateways.named(name).refund(order)
    except GatewayRefused as error:
        with transaction():
            actions.refuse_refund(refund_id=refund_id, tries=order.tries, error=error.reason)
        raise
    with transaction():
        actions.record_refund(refund_id=refund_id, answer=answer, now=now)


@periodic("settle-payments", minute="*")
def settle_payments(*, now: datetime) -> int:
    """Ask gateways about attempts on which they have not said their last word. Returns how many were asked."""
    doubts = queries.doubts(opened_before=now - PATIENCE, asked_before=now - AGAIN, limit=BATCH)
    return _one_by_one(doubts, lambda doubt: _ask(doubt, now))


@periodic("settle-refunds", minute="*/5")
def settle_refunds(*, now: datetime) -> int:
    """Ask for refunds that got stuck, and about those that a bank has not confirmed. Returns how many were asked."""
    waiting = queries.refunds_on_their_way(made_before=now - AGAIN, asked_before=now - ASK_REFUNDS, limit=BATCH)
    return _one_by_one(waiting, lambda refund_id: carry_out(refund_id, now=now))


@periodic("read-reports", minute="*")
def read_reports(*, now: datetime) -> int:
    """Process what gateways reported and could not be processed when it came. Returns how many were."""
    waiting = queries.unprocessed_events(received_before=now - PATIENCE, limit=BATCH)
    return _one_by_one(waiting, lambda row: reports.process(row, now=now))


@periodic("forget-reports", hour="3", minute="41")
def forget_reports(*, now: datetime) -> int:
    """Delete reports that were processed long ago. Returns how many."""
    with transaction() as session:
        old = sa.delete(PaymentEvent).where(PaymentEvent.processed_at < now - KEPT)
        return session.execute(old).rowcount  # type: ignore[attr-defined]


def _ask(doubt: Doubt, now: datetime) -> None:
    with transaction():
        actions.note_asked(gateway=doubt.gateway, reference=doubt.reference, now=now)
    gateway = gateways.named(doubt.gateway)
    if doubt.state == "open":
        gateway.look(reference=doubt.reference)
    else:
        gateway.close_payment(reference=doubt.reference)


def _one_by_one(things: Sequence[T], act: Callable[[T], object]) -> int:
    """One that cannot be settled today must not keep the others waiting; it is asked for again."""
    done = 0
    for thing in things:
        try:
            act(thing)
            done += 1
        except Exception:
            log.exception("%r is still in doubt", thing)
    return done
