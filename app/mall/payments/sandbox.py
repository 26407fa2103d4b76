"""The built-in gateway for trying things out: a bank of our own that moves no money.

It keeps its own books (``SandboxCharge``), has its own page, and tells us an outcome the
way a webhook would: in a transaction of its own, as often as somebody presses the button.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask import url_for

from app.foundation import clock
from app.foundation.database import LockOrder, db, insert_new, lock, transaction
from app.foundation.money import Money
from app.mall.payments import actions, gateways
from app.mall.payments.events import Outcome
from app.mall.payments.gateways import GatewayRefused, RefundAnswer, RefundOrder
from app.mall.payments.models import SandboxCharge, SandboxRefund

NAME = "sandbox"
_OUTCOMES: dict[str, Outcome] = {"paid": "paid", "refunded": "paid", "declined": "failed", "expired": "failed"}


@gateways.gateway(NAME)
class Sandbox:
    """A ``Gateway``."""

    def least(self, currency: str) -> Money:
        return Money(1, currency)

    def collects(self, amount: Money) -> bool:
        return amount.amount > 0

    def open_payment(self, *, reference: str, amount: Money, description: str, return_url: str, cancel_url: str) -> str:
        charge = {
            "reference": reference,
            "description": description[:200],
            "amount": amount.amount,
            "refunded": 0,
            "currency": amount.currency,
            "state": "open",
            "return_url": return_url,
            "cancel_url": cancel_url,
            "created_at": clock.now(),
        }
        with transaction():
            insert_new(SandboxCharge, [charge], unless=["reference"], returning=[SandboxCharge.id])
        return url_for("sandbox.show", reference=reference)

    def close_payment(self, *, reference: str) -> None:
        if charge_by(reference) is None:
            _forget(reference)  # Nobody ever stood at the counter.
            return
        decide(reference=reference, wish="expired")
        self.look(reference=reference)

    def look(self, *, reference: str) -> None:
        if charge_by(reference) is not None:
            notify(reference=reference, now=clock.now())

    def refund(self, order: RefundOrder) -> RefundAnswer:
        with transaction():
            charge = db.session.scalars(_locked(order.reference)).one()
            known = db.session.scalar(sa.select(SandboxRefund.id).where(SandboxRefund.key == order.key))
            return RefundAnswer(f"sandbox-{known or _pay_back(charge, order)}", "done")


def _pay_back(charge: SandboxCharge, order: RefundOrder) -> int:
    if charge.state != "paid" or charge.amount - charge.refunded < order.amount.amount:
        raise GatewayRefused(f"The charge is {charge.state}, and {charge.refunded} of {charge.amount} are back.")
    given = SandboxRefund(charge_id=charge.id, key=order.key, amount=order.amount.amount, created_at=clock.now())
    db.session.add(given)
    charge.refunded += order.amount.amount
    if charge.refunded == charge.amount:
        charge.state = "refunded"
    db.session.flush()
    return given.id


def charge_by(reference: str) -> SandboxCharge | None:
    return db.session.scalar(sa.select(SandboxCharge).where(SandboxCharge.reference == reference))


def _locked(reference: str) -> sa.Select[SandboxCharge]:
    return lock(LockOrder.PAYMENT, sa.select(SandboxCharge).where(SandboxCharge.reference == reference))


def _forget(reference: str) -> None:
    with transaction():
        actions.note_final(gateway=NAME, reference=reference, now=clock.now())


def decide(*, reference: str, wish: str) -> None:
    """Pay, decline or end an open charge: the first press decides, later ones change nothing."""
    with transaction():
        charge = db.session.scalars(_locked(reference)).one()
        if charge.state == "open":
            charge.state = wish


def notify(*, reference: str, now: datetime) -> None:
    """Tell the shop how the charge ended, as a webhook would."""
    with transaction():
        charge = db.session.scalars(sa.select(SandboxCharge).where(SandboxCharge.reference == reference)).one()
        if outcome := _OUTCOMES.get(charge.state):
            actions.record_outcome(gateway=NAME, reference=reference, outcome=outcome, now=now)
            actions.note_final(gateway=NAME, reference=reference, now=now)
