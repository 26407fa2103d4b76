"""Reads of payments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from app.foundation.database import db
from app.foundation.listing import Part, part_of
from app.foundation.money import Money
from app.mall.payments import gateways
from app.mall.payments.gateways import Doubt, RefundOrder
from app.mall.payments.models import OPEN_REFUNDS, Payment, PaymentEvent, Refund


def payments_of(order_id: int) -> Sequence[Payment]:
    """Every attempt to pay an order, oldest first, with what was given back of it."""
    query = sa.select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)
    return db.session.scalars(query.options(selectinload(Payment.refunds))).all()


def state_of(*, gateway: str, reference: str) -> str | None:
    """Where an attempt stands; ``None`` where it is none of ours."""
    return db.session.scalar(sa.select(Payment.state).where(Payment.gateway == gateway, Payment.reference == reference))


def takes_cash() -> bool:
    """Can anything but points be paid with here?"""
    return gateways.configured() is not None


def least_cash(currency: str) -> Money:
    """The smallest cash part that can be collected; what is asked for is either nothing or at least this."""
    name = gateways.configured()
    return gateways.named(name).least(currency) if name else Money(0, currency)


# --- what is in doubt -----------------------------------------------------------------------


def doubts(*, opened_before: datetime, asked_before: datetime, limit: int) -> Sequence[Doubt]:
    """Attempts on which the gateway has not said its last word, those not asked about for longest first."""
    query = sa.select(Payment.gateway, Payment.reference, Payment.state, Payment.opened_at).where(
        Payment.final_at.is_(None),
        Payment.opened_at <= opened_before,
        sa.or_(Payment.asked_at.is_(None), Payment.asked_at <= asked_before),
    )
    query = query.order_by(Payment.asked_at.asc().nulls_first(), Payment.id)
    return [Doubt(*row) for row in db.session.execute(query.limit(limit))]


def doubt_of(payment_id: int) -> Doubt | None:
    """The attempt, unless the gateway has said its last word on it."""
    query = sa.select(Payment.gateway, Payment.reference, Payment.state, Payment.opened_at)
    row = db.session.execute(query.where(Payment.id == payment_id, Payment.final_at.is_(None))).one_or_none()
    return row and Doubt(*row)


def refunds_on_their_way(*, made_before: datetime, asked_before: datetime, limit: int) -> Sequence[int]:
    """Refunds that no bank has confirmed, those not asked about for longest first."""
    query = sa.select(Refund.id).where(
        Refund.state.in_(OPEN_REFUNDS),
        Refund.created_at <= made_before,
        sa.or_(Refund.asked_at.is_(None), Refund.asked_at <= asked_before),
    )
    return db.session.scalars(query.order_by(Refund.asked_at.asc().nulls_first(), Refund.id).limit(limit)).all()


def refund_order(refund_id: int) -> tuple[str, RefundOrder] | None:
    """(Gateway, what it is to be told) of a refund that is not settled."""
    query = sa.select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id)
    found = db.session.execute(query.where(Refund.id == refund_id, Refund.state.in_(OPEN_REFUNDS))).one_or_none()
    if found is None:
        return None
    refund, payment = found
    amount = Money(refund.amount, payment.currency)
    return payment.gateway, RefundOrder(
        payment.reference, payment.intent_id, refund.key, refund.tries, refund.number, amount
    )


def refund_by_key(key: str) -> Refund | None:
    return db.session.scalar(sa.select(Refund).where(Refund.key == key))


def unprocessed_events(*, received_before: datetime, limit: int) -> Sequence[int]:
    """Reports that could not be processed when they came, oldest first."""
    query = sa.select(PaymentEvent.id).where(
        PaymentEvent.processed_at.is_(None), PaymentEvent.received_at <= received_before
    )
    return db.session.scalars(query.order_by(PaymentEvent.tries, PaymentEvent.id).limit(limit)).all()


# --- for colleagues ---------------------------------------------------------------------------


def latest_events(*, after: str | None, limit: int) -> Part[PaymentEvent]:
    """What gateways reported, newest first."""
    return part_of(sa.select(PaymentEvent), keys=[PaymentEvent.id], after=after, limit=limit)


def events_to_see_to(*, since: datetime, limit: int) -> Sequence[PaymentEvent]:
    """Reports with an error that somebody should look at."""
    query = sa.select(PaymentEvent).where(PaymentEvent.error.is_not(None), PaymentEvent.received_at >= since)
    return db.session.scalars(query.order_by(PaymentEvent.id.desc()).limit(limit)).all()


def refunds_to_see_to(*, since: datetime, stuck_before: datetime, limit: int) -> Sequence[tuple[Refund, Payment]]:
    """Refunds that failed, were refused, or are not through after a long time."""
    stuck = sa.and_(Refund.state.in_(OPEN_REFUNDS), sa.or_(Refund.tries > 0, Refund.created_at <= stuck_before))
    failed = sa.and_(Refund.state == "failed", Refund.settled_at >= since)
    query = sa.select(Refund, Payment).join(Payment, Payment.id == Refund.payment_id).where(sa.or_(stuck, failed))
    return [(row[0], row[1]) for row in db.session.execute(query.order_by(Refund.id.desc()).limit(limit))]
