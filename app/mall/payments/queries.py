"""Reads of payments."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.foundation.database import db
from app.mall.payments import gateways
from app.mall.payments.models import Payment, SandboxCharge


def payments_of(order_id: int) -> Sequence[Payment]:
    """Every attempt to pay an order, oldest first."""
    return db.session.scalars(sa.select(Payment).where(Payment.order_id == order_id).order_by(Payment.id)).all()


def takes_cash() -> bool:
    """Can anything but points be paid with here?"""
    return gateways.configured() is not None


def unheard_sandbox_charges(*, limit: int) -> Sequence[str]:
    """References of charges that were paid at the sandbox while our books say they were not."""
    query = sa.select(SandboxCharge.reference).join(Payment, Payment.reference == SandboxCharge.reference)
    query = query.where(
        SandboxCharge.state == "paid", Payment.gateway == "sandbox", Payment.state.in_(("open", "failed"))
    )
    return db.session.scalars(query.limit(limit)).all()
