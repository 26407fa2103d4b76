"""What members bought, and what of it came back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonList, Model, reference


class Purchase(Model):
    """A purchase as its source reported it. ``order_no`` is the source's own number, unique within a unit.

    ``amount`` is the sum of the lines in minor units; ``points`` and ``growth`` what it earned, ``bonuses`` the codes
    of the bonuses among the points.
    """

    __tablename__ = "purchase"
    __table_args__ = (
        sa.UniqueConstraint("unit_id", "order_no"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
        sa.Index("ix_purchase_member_id_occurred_at", "member_id", "occurred_at"),
    )

    id: Mapped[Id]
    unit_id: Mapped[int] = reference("unit.id")
    order_no: Mapped[str] = mapped_column(sa.String(64))
    member_id: Mapped[int] = reference("member.id")
    source: Mapped[str] = mapped_column(sa.String(16))
    currency: Mapped[str] = mapped_column(sa.String(3))
    amount: Mapped[Amount]
    points: Mapped[Amount]
    growth: Mapped[Amount]
    bonuses: Mapped[JsonList] = mapped_column(default=list)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class PurchaseLine(Model):
    __tablename__ = "purchase_line"
    __table_args__ = (
        sa.UniqueConstraint("purchase_id", "position"),
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("amount >= 0", name="amount_not_negative"),
    )

    id: Mapped[Id]
    purchase_id: Mapped[int] = reference("purchase.id")
    position: Mapped[int]
    category: Mapped[str] = mapped_column(sa.String(60))
    sku: Mapped[str] = mapped_column(sa.String(60))
    quantity: Mapped[int]
    amount: Mapped[Amount]
    points: Mapped[Amount]


class PurchaseReturn(Model):
    """What came back of one line of a purchase: ``amount`` in minor units, and the ``points`` it had earned."""

    __tablename__ = "purchase_return"
    __table_args__ = (
        sa.UniqueConstraint("purchase_id", "return_no", "position"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id", index=True)
    purchase_id: Mapped[int] = reference("purchase.id")
    return_no: Mapped[str] = mapped_column(sa.String(64))
    position: Mapped[int]
    amount: Mapped[Amount]
    points: Mapped[Amount]
    returned_at: Mapped[datetime]
