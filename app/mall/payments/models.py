"""Cash for orders as we know it, what gateways told us, and the built-in sandbox's own books."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Amount, Id, Json, Model, reference
from app.foundation.money import Money

OPEN_REFUNDS = ("asked", "pending")


class Payment(Model):
    """One attempt to collect the cash part of an order.

    ``reference`` is the name by which we and the gateway speak of it; ``session_id`` and ``intent_id`` are the
    gateway's own names for the page to pay on and for the money. ``refund_total`` is what was promised back,
    ``refunded`` what of it has gone back, both in minor units. A ``failed`` attempt may still turn ``paid``: the
    bank's word counts, however late it comes. From ``final_at`` on the gateway changes nothing any more; before, the
    attempt is in doubt, and ``asked_at`` says when we last asked.
    """

    __tablename__ = "payment"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "reference"),
        sa.UniqueConstraint("gateway", "session_id"),
        sa.CheckConstraint("state IN ('open', 'paid', 'failed', 'refunded')", name="state_known"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("refunded BETWEEN 0 AND amount", name="refunded_in_range"),
        sa.CheckConstraint("refund_total BETWEEN refunded AND amount", name="refund_total_in_range"),
        sa.CheckConstraint("refund_total = 0 OR state IN ('paid', 'refunded')", name="only_paid_is_refunded"),
        sa.Index(
            "ix_payment_in_doubt",
            "asked_at",
            postgresql_where=sa.text("final_at IS NULL"),
            sqlite_where=sa.text("final_at IS NULL"),
        ),
        sa.Index(None, "gateway", "intent_id"),
    )

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id", index=True)
    gateway: Mapped[str] = mapped_column(sa.String(16))
    reference: Mapped[str] = mapped_column(sa.String(80))
    session_id: Mapped[str | None] = mapped_column(sa.String(255))
    intent_id: Mapped[str | None] = mapped_column(sa.String(255))
    state: Mapped[str] = mapped_column(sa.String(10))
    amount: Mapped[Amount]
    refund_total: Mapped[Amount] = mapped_column(default=0, server_default="0")
    refunded: Mapped[Amount] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(sa.String(3))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    final_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]

    refunds: Mapped[list[Refund]] = relationship(order_by="Refund.id", viewonly=True)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def refundable(self) -> Money:
        """What has not been promised back yet."""
        return Money(self.amount - self.refund_total if self.state == "paid" else 0, self.currency)


class Refund(Model):
    """Money on its way back, whole or in part.

    ``key`` names the business fact, ``number`` is the gateway's name for it. It is ``asked`` until the gateway has
    taken it, then ``pending`` until the bank has. A bank may send back what was ``done``, so ``failed`` is the last
    word. ``tries`` counts refusals: each new try needs a new idempotency key.
    """

    __tablename__ = "refund"
    __table_args__ = (
        sa.CheckConstraint("state IN ('asked', 'pending', 'done', 'failed')", name="state_known"),
        sa.CheckConstraint("reason IN ('late', 'return', 'staff', 'gateway')", name="reason_known"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "ix_refund_on_its_way",
            "asked_at",
            postgresql_where=sa.text("state IN ('asked', 'pending')"),
            sqlite_where=sa.text("state IN ('asked', 'pending')"),
        ),
    )

    id: Mapped[Id]
    payment_id: Mapped[int] = reference("payment.id", index=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    number: Mapped[str | None] = mapped_column(sa.String(255), unique=True)
    amount: Mapped[Amount]
    reason: Mapped[str] = mapped_column(sa.String(10))
    state: Mapped[str] = mapped_column(sa.String(10))
    tries: Mapped[int] = mapped_column(default=0)
    by: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.Text)


class PaymentEvent(Model):
    """What a gateway reported, once per ``event_id``. The payload is not believed: it says only where to look.

    Kept of it is what an operator needs, and nothing about the person who paid. ``error`` says why it could not be
    processed yet, or, beside ``processed_at``, what somebody should see to.
    """

    __tablename__ = "payment_event"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "event_id"),
        sa.Index(None, "received_at"),
        sa.Index(
            "ix_payment_event_waiting",
            "received_at",
            postgresql_where=sa.text("processed_at IS NULL"),
            sqlite_where=sa.text("processed_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    gateway: Mapped[str] = mapped_column(sa.String(16))
    event_id: Mapped[str] = mapped_column(sa.String(255))
    type: Mapped[str] = mapped_column(sa.String(80))
    object_id: Mapped[str] = mapped_column(sa.String(255))
    payload: Mapped[dict[str, Any]] = mapped_column(Json)
    received_at: Mapped[datetime]
    processed_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(sa.Text)


class SandboxCharge(Model):
    """The sandbox gateway's side of a payment: what a bank would know."""

    __tablename__ = "sandbox_charge"
    __table_args__ = (
        sa.CheckConstraint("state IN ('open', 'paid', 'declined', 'expired', 'refunded')", name="state_known"),
        sa.CheckConstraint("refunded BETWEEN 0 AND amount", name="refunded_in_range"),
    )

    id: Mapped[Id]
    reference: Mapped[str] = mapped_column(sa.String(80), unique=True)
    description: Mapped[str] = mapped_column(sa.String(200))
    amount: Mapped[Amount]
    refunded: Mapped[Amount] = mapped_column(default=0, server_default="0")
    currency: Mapped[str] = mapped_column(sa.String(3))
    state: Mapped[str] = mapped_column(sa.String(10))
    return_url: Mapped[str] = mapped_column(sa.String(300))
    cancel_url: Mapped[str] = mapped_column(sa.String(300))
    created_at: Mapped[datetime]

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class SandboxRefund(Model):
    """What the sandbox has given back, once per key."""

    __tablename__ = "sandbox_refund"
    __table_args__ = (sa.CheckConstraint("amount > 0", name="amount_positive"),)

    id: Mapped[Id]
    charge_id: Mapped[int] = reference("sandbox_charge.id", index=True)
    key: Mapped[str] = mapped_column(sa.String(120), unique=True)
    amount: Mapped[Amount]
    created_at: Mapped[datetime]
