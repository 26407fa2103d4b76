"""Cash for orders, as we know it (``Payment``), and the built-in sandbox's own books (``SandboxCharge``)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, Model, reference
from app.foundation.money import Money


class Payment(Model):
    """One attempt to collect the cash part of an order.

    ``reference`` is the gateway's name for it. ``refunded`` is what was given back, in minor units.
    A ``failed`` attempt may still turn ``paid``: the bank's word counts, however late it comes.
    """

    __tablename__ = "payment"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "reference"),
        sa.CheckConstraint("state IN ('open', 'paid', 'failed', 'refunded')", name="state_known"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("refunded BETWEEN 0 AND amount", name="refunded_in_range"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id", index=True)
    gateway: Mapped[str] = mapped_column(sa.String(16))
    reference: Mapped[str] = mapped_column(sa.String(80))
    state: Mapped[str] = mapped_column(sa.String(10))
    amount: Mapped[Amount]
    refunded: Mapped[Amount] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(sa.String(3))
    opened_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SandboxCharge(Model):
    """The sandbox gateway's side of a payment: what a bank would know."""

    __tablename__ = "sandbox_charge"
    __table_args__ = (sa.CheckConstraint("state IN ('open', 'paid', 'declined', 'refunded')", name="state_known"),)

    id: Mapped[Id]
    reference: Mapped[str] = mapped_column(sa.String(80), unique=True)
    description: Mapped[str] = mapped_column(sa.String(200))
    amount: Mapped[Amount]
    currency: Mapped[str] = mapped_column(sa.String(3))
    state: Mapped[str] = mapped_column(sa.String(10))
    return_url: Mapped[str] = mapped_column(sa.String(300))
    cancel_url: Mapped[str] = mapped_column(sa.String(300))
    created_at: Mapped[datetime]

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)
