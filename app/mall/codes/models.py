"""Code pools 券码池: voucher codes that are sold, each to one member only."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, Model, reference

_FREE = sa.text("order_line_id IS NULL AND withdrawn_at IS NULL")


class PoolCode(Model):
    """One code of a variant's pool. Whoever bought the line ``order_line_id`` owns it, and nobody else reads it.

    Free codes are handed out in the order of their last day, then as they came. ``shown_at`` is when the owner first
    looked at it: from then on it cannot be given back. ``last_day`` is the last one on which it can be used.
    The variant's stock is the number of free codes less those of orders that are not paid or still wait for theirs.
    """

    __tablename__ = "pool_code"
    __table_args__ = (
        sa.UniqueConstraint("variant_id", "code"),
        sa.CheckConstraint(
            "(order_line_id IS NULL) = (member_id IS NULL) AND (order_line_id IS NULL) = (handed_at IS NULL)",
            name="owned_wholly",
        ),
        sa.CheckConstraint("shown_at IS NULL OR handed_at IS NOT NULL", name="shown_to_its_owner"),
        sa.Index(None, "member_id", "handed_at", "id"),
        sa.Index("ix_pool_code_free", "variant_id", "last_day", "id", postgresql_where=_FREE, sqlite_where=_FREE),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = reference("variant.id")
    code: Mapped[str] = mapped_column(sa.String(80))
    last_day: Mapped[date | None]
    batch: Mapped[str] = mapped_column(sa.String(80), default="")
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(sa.String(120))
    order_line_id: Mapped[int | None] = reference("order_line.id", index=True)
    member_id: Mapped[int | None] = reference("member.id")
    handed_at: Mapped[datetime | None]
    shown_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
