"""Verbs of payments. An attempt is opened, settled once, and given back at most once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation import events, outbox
from app.foundation.database import LockOrder, db, lock
from app.foundation.errors import NotFound
from app.foundation.money import Money
from app.mall.payments import gateways
from app.mall.payments.events import Outcome, PaymentReported
from app.mall.payments.models import Payment

REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a gateway is told, as plain values that outlive the transaction."""

    gateway: str
    reference: str
    amount: Money

    def ask(self, *, description: str, return_url: str, cancel_url: str) -> str:
        """Where to send the person to pay. Speaks to the gateway: call it with no transaction open."""
        return gateways.named(self.gateway).open_payment(
            reference=self.reference,
            amount=self.amount,
            description=description,
            return_url=return_url,
            cancel_url=cancel_url,
        )


def refuse_without_gateway() -> None:
    """Raises ``GatewayUnavailable`` where the shop takes no cash."""
    if gateways.configured() is None:
        raise gateways.GatewayUnavailable


def open_attempt(*, order_id: int, amount: Money, now: datetime) -> Attempt:
    """An attempt to collect ``amount``; the one that is still open if there is one, so a double click opens one.

    The caller has locked the order. Raises ``GatewayUnavailable`` where the shop takes no cash.
    """
    refuse_without_gateway()
    gateway = str(gateways.configured())
    wanted = (Payment.order_id == order_id, Payment.gateway == gateway, Payment.state == "open")
    payment = db.session.scalar(
        lock(LockOrder.PAYMENT, sa.select(Payment).where(*wanted).order_by(Payment.id).limit(1))
    )
    if payment is None:
        payment = Payment(
            order_id=order_id,
            gateway=gateway,
            reference=secrets.token_urlsafe(24),
            state="open",
            amount=amount.amount,
            currency=amount.currency,
            opened_at=now,
        )
        db.session.add(payment)
        db.session.flush()
    return Attempt(payment.gateway, payment.reference, payment.money)


def record_outcome(*, gateway: str, reference: str, outcome: Outcome, now: datetime) -> None:
    """A gateway says how an attempt ended. Saying it twice changes nothing. Raises ``NotFound``.

    Takes no lock itself: the order, which is locked first, belongs to the room above.
    """
    found = db.session.execute(
        sa.select(Payment.id, Payment.order_id).where(Payment.gateway == gateway, Payment.reference == reference)
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such payment."))
    events.publish(PaymentReported(found.id, found.order_id, outcome, now))


def settle(*, payment_id: int, outcome: Outcome, now: datetime) -> bool:
    """Write an outcome down. ``True`` if cash arrived that was not known before. The caller has locked the order."""
    payment = db.session.scalars(lock(LockOrder.PAYMENT, sa.select(Payment).where(Payment.id == payment_id))).one()
    if outcome == "failed":
        if payment.state == "open":
            payment.state, payment.settled_at = "failed", now
        return False
    if payment.state not in ("open", "failed"):
        return False  # The gateway repeats itself.
    payment.state, payment.settled_at = "paid", now
    return True


def give_up(*, order_id: int, now: datetime) -> None:
    """The order ended or was paid otherwise: its open attempts have failed. The caller has locked the order."""
    attempts = sa.select(Payment).where(Payment.order_id == order_id, Payment.state == "open").order_by(Payment.id)
    for payment in db.session.scalars(lock(LockOrder.PAYMENT, attempts)):
        payment.state, payment.settled_at = "failed", now


def refund_later(*, payment_id: int, now: datetime) -> None:
    """Give everything back, through the outbox: the gateway is spoken to after the commit."""
    outbox.put(REFUND, {"payment_id": payment_id}, now=now)


def record_refund(*, payment_id: int, now: datetime) -> None:
    """The gateway has given the money back. Recording it twice changes nothing."""
    payment = db.session.scalars(lock(LockOrder.PAYMENT, sa.select(Payment).where(Payment.id == payment_id))).one()
    if payment.state == "paid":
        payment.state, payment.refunded, payment.refunded_at = "refunded", payment.amount, now
