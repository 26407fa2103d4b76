"""What Stripe reports: stored once per event, asked again at Stripe, then booked.

A report says only that something about an object has changed. What it is now is asked for, so the
order of reports does not matter. Claiming a report and booking what came of it is one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, insert_new, transaction
from app.mall.payments import gateways, queries, stripe
from app.mall.payments.models import PaymentEvent

log = logging.getLogger(__name__)

Booking = Callable[[datetime], None]

_SESSION = frozenset(
    f"checkout.session.{what}" for what in ("completed", "expired", "async_payment_succeeded", "async_payment_failed")
)
_REFUND = frozenset(f"refund.{what}" for what in ("created", "updated", "failed"))
# Nothing of ours follows from these by itself, but somebody has to see to them.
_ALARM = {
    "charge.dispute.created": "A bank disputes this payment. Answer it on Stripe's pages before its deadline.",
    "charge.dispute.closed": "A dispute about this payment has ended. See on Stripe's pages how.",
    "radar.early_fraud_warning.created": "A bank suspects that this payment is a fraud. See to it on Stripe's pages.",
}
# What is kept of an object: enough to find it again, and nothing about the person.
_KEPT = ("status", "payment_status", "amount", "amount_total", "currency", "client_reference_id", "payment_intent")
ERROR_LENGTH = 500


def store(event: Mapping[str, Any], *, now: datetime) -> int:
    """Keep a report whose signature is right; returns its row. The same report again is the same row.

    Raises ``KeyError`` or ``TypeError`` for what is no report.
    """
    told = event["data"]["object"]
    row = {
        "gateway": stripe.NAME,
        "event_id": str(event["id"])[:255],
        "type": str(event["type"])[:80],
        "object_id": str(told.get("id") or "")[:255],
        "payload": {
            "created": event.get("created"),
            "livemode": event.get("livemode"),
            "object": {name: told[name] for name in _KEPT if isinstance(told.get(name), str | int)},
        },
        "received_at": now,
        "tries": 0,
    }
    with transaction():
        made = insert_new(PaymentEvent, [row], unless=["gateway", "event_id"], returning=[PaymentEvent.id])
        if made:
            return int(made[0].id)
        same = (PaymentEvent.gateway == stripe.NAME, PaymentEvent.event_id == row["event_id"])
        return db.session.scalars(sa.select(PaymentEvent.id).where(*same)).one()


def process(row: int, *, now: datetime) -> bool:
    """Book what a report is about; ``False`` where that was done before. Call it with no transaction open.

    What goes wrong is noted at the report and raised: Stripe repeats it, and so does our job.
    """
    found = db.session.execute(
        sa.select(PaymentEvent.type, PaymentEvent.object_id, PaymentEvent.processed_at).where(PaymentEvent.id == row)
    ).one()
    db.session.rollback()
    if found.processed_at is not None:
        return False
    try:
        book = _asked_again(found.type, found.object_id)
        with transaction():
            if not _claim(row, now=now, error=_ALARM.get(found.type)):
                return False
            if book:
                book(now)
    except Exception as error:
        with transaction():
            failed = sa.update(PaymentEvent).where(PaymentEvent.id == row, PaymentEvent.processed_at.is_(None))
            db.session.execute(failed.values(tries=PaymentEvent.tries + 1, error=str(error)[:ERROR_LENGTH]))
        raise
    return True


def _claim(row: int, *, now: datetime, error: str | None) -> bool:
    """Whoever changes the row first has it; a parallel twin waits here until the first has committed, and has none."""
    waiting = sa.update(PaymentEvent).where(PaymentEvent.id == row, PaymentEvent.processed_at.is_(None))
    claimed = waiting.values(processed_at=now, tries=PaymentEvent.tries + 1, error=error).returning(PaymentEvent.id)
    return db.session.scalar(claimed) is not None


def _asked_again(type_: str, object_id: str) -> Booking | None:
    """What is to be booked, with fresh facts; ``None`` where nothing follows."""
    gateway = gateways.named(stripe.NAME)
    assert isinstance(gateway, stripe.Stripe)
    if type_ in _SESSION:
        facts = gateway.session(object_id)
        return lambda now: _book_session(facts, now)
    if type_ in _REFUND:
        refund = gateway.refund_facts(object_id)
        if refund is None:
            return None  # Of another shop on the same account.
        _hear_of_the_payment_first(gateway, refund.reference)
        return lambda now: _book_refund(refund, now)
    return None


def _book_session(facts: stripe.SessionFacts, now: datetime) -> None:
    if not facts.reference or queries.state_of(gateway=stripe.NAME, reference=facts.reference) is None:
        log.info("Stripe reports session %s, which is none of ours", facts.session_id)
        return
    stripe.record_session(facts, now=now)


def _book_refund(facts: stripe.RefundFacts, now: datetime) -> None:
    if queries.state_of(gateway=stripe.NAME, reference=facts.reference) is None:
        log.info("Stripe reports refund %s, which is none of ours", facts.answer.number)
        return
    stripe.record_refund(facts, now=now)


def _hear_of_the_payment_first(gateway: stripe.Stripe, reference: str) -> None:
    """A refund may be reported before the payment is."""
    state = queries.state_of(gateway=stripe.NAME, reference=reference)
    db.session.rollback()
    if state in ("open", "failed"):
        gateway.look(reference=reference)
