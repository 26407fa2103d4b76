"""Refunds leave the house through the outbox, and the sandbox repeats what it told us."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.foundation import clock, outbox
from app.foundation.database import db, transaction
from app.foundation.jobs import periodic
from app.mall.payments import actions, gateways, queries, sandbox
from app.mall.payments.models import Payment


@outbox.channel(actions.REFUND)
def deliver_refund(payload: dict[str, Any]) -> None:
    """Give one payment back. May be called twice: gateways know the reference, and we write it down once."""
    payment = db.session.get(Payment, payload["payment_id"])
    if payment is None or payment.state != "paid":
        return
    gateway, reference, amount = payment.gateway, payment.reference, payment.money
    db.session.rollback()  # Speaking to a gateway takes time; hold no transaction open meanwhile.
    gateways.named(gateway).refund(reference=reference, amount=amount)
    with transaction():
        actions.record_refund(payment_id=payload["payment_id"], now=clock.now())


@periodic("sandbox-notices", minute="*")
def repeat_notices(*, now: datetime) -> int:
    """The sandbox tells us again what we seem not to have heard, as a real gateway repeats its webhooks."""
    unheard = queries.unheard_sandbox_charges(limit=100)
    for reference in unheard:
        sandbox.notify(reference=reference, now=now)
    return len(unheard)
