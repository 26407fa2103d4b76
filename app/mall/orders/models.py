"""Orders 订单: what a member took from the mall, what it cost, and every step since."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Amount, Id, Json, JsonObject, Model, reference
from app.foundation.money import Money

STATES = ("placed", "paid", "packed", "shipped", "delivered", "completed", "cancelled", "closed")


class Order(Model):
    """``key`` is the form's own: the same form sent twice is the same order.

    Points are held from placing until payment; ``pay_by`` is when an unpaid order closes.
    ``parcel`` says whether there is something to send; codes and services have none.
    """

    __tablename__ = "order"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "key"),
        sa.CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state_known"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
        sa.CheckConstraint("cash >= 0", name="cash_not_negative"),
        sa.Index(None, "state", "pay_by"),
        sa.Index(None, "member_id", "id"),
        sa.Index(None, "unit_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    key: Mapped[str] = mapped_column(sa.String(64))
    member_id: Mapped[int] = reference("member.id")
    unit_id: Mapped[int] = reference("unit.id")
    state: Mapped[str] = mapped_column(sa.String(12))
    parcel: Mapped[bool]
    points: Mapped[Amount]
    cash: Mapped[Amount]
    currency: Mapped[str] = mapped_column(sa.String(3))
    address: Mapped[dict[str, Any] | None] = mapped_column(Json)
    carrier: Mapped[str | None] = mapped_column(sa.String(60))
    tracking_number: Mapped[str | None] = mapped_column(sa.String(60))
    placed_at: Mapped[datetime]
    pay_by: Mapped[datetime]

    lines: Mapped[list[OrderLine]] = relationship(order_by="OrderLine.id")
    steps: Mapped[list[OrderStep]] = relationship(order_by="OrderStep.id")

    @property
    def cash_due(self) -> Money:
        return Money(self.cash, self.currency)


class OrderLine(Model):
    """What was ordered, as it was then: a later change of the product does not change an order."""

    __tablename__ = "order_line"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id", index=True)
    variant_id: Mapped[int] = reference("variant.id", index=True)
    sku: Mapped[str] = mapped_column(sa.String(60))
    category: Mapped[str] = mapped_column(sa.String(32))
    kind: Mapped[str] = mapped_column(sa.String(12))
    name: Mapped[JsonObject]
    variant_name: Mapped[JsonObject]
    picture: Mapped[str | None] = mapped_column(sa.String(80))
    quantity: Mapped[int]
    points_each: Mapped[Amount]
    cash_each: Mapped[Amount]


class OrderStep(Model):
    """One state that the order reached, when, and by whom; the member sees them all."""

    __tablename__ = "order_step"
    __table_args__ = (sa.UniqueConstraint("order_id", "state"),)

    id: Mapped[Id]
    order_id: Mapped[int] = reference("order.id")
    state: Mapped[str] = mapped_column(sa.String(12))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(120))
    note: Mapped[str] = mapped_column(sa.String(200), default="")
