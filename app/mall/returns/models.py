"""Returns 退货, exchanges 换货, claims under warranty, and cancellations before anything was sent."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Amount, BigId, Id, JsonList, Model, reference
from app.mall.returns.rules import KINDS, OPEN, STATES

_OPEN = sa.text(f"state IN ({', '.join(repr(state) for state in OPEN)})")


class ReturnCase(Model):
    """What a member wants to send back of one order, and what became of it. At most one is open per order.

    ``key`` is the form's own: the same form sent twice is the same case. Once settled, ``cash`` (minor units, delivery
    included) and ``points`` are what went back to the member, ``expired`` those of them that nobody can spend any more,
    and ``taken_back`` the points that had been earned with it.
    """

    __tablename__ = "return_case"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "key"),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, KINDS))})", name="kind_known"),
        sa.CheckConstraint(f"state IN ({', '.join(map(repr, STATES))})", name="state_known"),
        sa.CheckConstraint(
            "cash >= 0 AND points >= 0 AND expired >= 0 AND taken_back >= 0", name="figures_not_negative"
        ),
        sa.Index("uq_return_case_open", "order_id", unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN),
        sa.Index(None, "unit_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(sa.String(20), unique=True)
    key: Mapped[str] = mapped_column(sa.String(64))
    order_id: Mapped[int] = reference("order.id", index=True)
    member_id: Mapped[int] = reference("member.id")
    unit_id: Mapped[int] = reference("unit.id")
    kind: Mapped[str] = mapped_column(sa.String(12))
    state: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str] = mapped_column(sa.String(20))
    note: Mapped[str] = mapped_column(sa.String(1000), default="")
    pictures: Mapped[JsonList] = mapped_column(default=list)
    answer: Mapped[str] = mapped_column(sa.String(500), default="")
    cash: Mapped[Amount] = mapped_column(default=0)
    points: Mapped[Amount] = mapped_column(default=0)
    expired: Mapped[Amount] = mapped_column(default=0)
    taken_back: Mapped[Amount] = mapped_column(default=0)
    replacement_id: Mapped[int | None] = reference("order.id")

    pieces: Mapped[list[ReturnPiece]] = relationship(order_by="ReturnPiece.order_line_id")
    steps: Mapped[list[ReturnStep]] = relationship(order_by="ReturnStep.id")


class ReturnPiece(Model):
    """So many pieces of one line. ``cash`` and ``points`` are what they brought back, once settled.

    ``codes`` are the ids of those that do not work, where it is a line of codes.
    """

    __tablename__ = "return_piece"
    __table_args__ = (
        sa.CheckConstraint("quantity > 0", name="quantity_positive"),
        sa.CheckConstraint("cash >= 0 AND points >= 0", name="figures_not_negative"),
    )

    case_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("return_case.id"), primary_key=True)
    order_line_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("order_line.id"), primary_key=True)
    quantity: Mapped[int]
    codes: Mapped[JsonList] = mapped_column(default=list)
    cash: Mapped[Amount] = mapped_column(default=0)
    points: Mapped[Amount] = mapped_column(default=0)


class ReturnStep(Model):
    """One state that the case reached, when, and by whom."""

    __tablename__ = "return_step"
    __table_args__ = (sa.UniqueConstraint("case_id", "state"),)

    id: Mapped[Id]
    case_id: Mapped[int] = reference("return_case.id")
    state: Mapped[str] = mapped_column(sa.String(10))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(sa.String(120))
