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
from app.mall.payments.models import SandboxCharge

NAME = "sandbox"
_OUTCOMES: dict[str, Outcome] = {"paid": "paid", "refunded": "paid", "declined": "failed"}


@gateways.gateway(NAME)
class Sandbox:
    """A ``Gateway``."""

    def open_payment(self, *, reference: str, amount: Money, description: str, return_url: str, cancel_url: str) -> str:
        charge = {
            "reference": reference,
            "description": description[:200],
            "amount": amount.amount,
            "currency": amount.currency,
            "state": "open",
            "return_url": return_url,
            "cancel_url": cancel_url,
            "created_at": clock.now(),
        }
        with transaction():
            insert_new(SandboxCharge, [charge], unless=["reference"], returning=[SandboxCharge.id])
        return url_for("sandbox.show", reference=reference)

    def refund(self, *, reference: str, amount: Money) -> None:
        """All of a charge; the sandbox knows no partial refunds."""
        with transaction():
            charge = db.session.scalars(_locked(reference)).one()
            if charge.state == "paid" and charge.money == amount:
                charge.state = "refunded"


def charge_by(reference: str) -> SandboxCharge | None:
    return db.session.scalar(sa.select(SandboxCharge).where(SandboxCharge.reference == reference))


def _locked(reference: str) -> sa.Select[SandboxCharge]:
    return lock(LockOrder.PAYMENT, sa.select(SandboxCharge).where(SandboxCharge.reference == reference))


def decide(*, reference: str, wish: str) -> None:
    """Pay or decline an open charge: the first press decides, later ones change nothing."""
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
