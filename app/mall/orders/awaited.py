"""What was ordered and has not reached its buyer yet, because it lies in no pool or nobody can grant it just now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.reaching import BY_HAND

PAID = ("paid", "packed", "part_shipped", "shipped", "delivered")  # A code may come when its parcel has long arrived.
_OPEN = OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled
_IS_PAID = Order.state != "placed"


def awaits(kind: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Has the order an open line of this kind?"""
    return sa.exists().where(OrderLine.order_id == Order.id, _OPEN > 0, kind)


def pieces_asked(kind: str) -> sa.Select[*tuple[Any, ...]]:
    """By ``variant_id``: open ``pieces`` of a kind, paid or not; ``waiting`` ones are paid, for so many ``orders``."""
    return (
        sa.select(
            OrderLine.variant_id.label("variant_id"),
            sa.func.sum(_OPEN).label("pieces"),
            sa.func.sum(sa.case((_IS_PAID, _OPEN), else_=0)).label("waiting"),
            sa.func.count(sa.distinct(sa.case((_IS_PAID, Order.id)))).label("orders"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.kind == kind, _OPEN > 0, Order.state.in_(("placed", *PAID)))
        .group_by(OrderLine.variant_id)
    )


def waiting_for(variant_id: int, *, limit: int) -> Sequence[int]:
    """Paid orders that wait for pieces of this variant, the oldest first."""
    return db.session.scalars(_waiting().where(OrderLine.variant_id == variant_id).limit(limit)).all()


def waiting(*, after: int, limit: int) -> Sequence[int]:
    """Paid orders that wait for anything that nobody hands over, the oldest first."""
    return db.session.scalars(_waiting().where(Order.id > after).limit(limit)).all()


def _waiting() -> sa.Select[int]:
    lines = sa.select(Order.id).join(OrderLine, OrderLine.order_id == Order.id)
    open_ = OrderLine.kind.not_in(BY_HAND), _OPEN > 0, Order.state.in_(PAID)
    return lines.where(*open_).group_by(Order.id).order_by(Order.id)


def any_open(variant_ids: Collection[int]) -> bool:
    """Does somebody still wait, pay or send for a piece of one of these variants?"""
    query = (
        sa.select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(any_of(OrderLine.variant_id, variant_ids), _OPEN > 0, Order.state.in_(("placed", *PAID)))
    )
    return db.session.scalar(query.limit(1)) is not None


def number_of_line(member_id: int, line_id: int) -> str | None:
    """The number of a member's order that has this line."""
    query = sa.select(Order.number).join(OrderLine, OrderLine.order_id == Order.id)
    return db.session.scalar(query.where(OrderLine.id == line_id, Order.member_id == member_id))
