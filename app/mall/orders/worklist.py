"""The back office's list of orders: what waits for work, what is looked for, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.foundation.database import any_of, db
from app.foundation.listing import Part, part_of
from app.mall.orders.awaited import PAID, awaits
from app.mall.orders.models import STATES, Order, OrderLine, Shipment
from app.mall.orders.reaching import BY_HAND

# What asks a colleague for work: the longest wait comes first, and before it who has priority delivery. Whatever comes
# by itself, codes and grants, is waited for under "codes".
WORK = ("paid", "packed", "part_shipped", "handout", "codes")
SELECTIONS = (*WORK, *(state for state in STATES if state not in WORK))
BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the list should show. ``None`` and ``""`` ask for nothing in particular.

    Orders are found whose number begins with ``number`` or whose member is in ``member_ids``; placed from ``since``
    on and before ``until``.
    """

    units: Collection[int] | None
    state: str = ""
    number: str = ""
    member_ids: Collection[int] | None = None
    unit_id: int | None = None
    delivery: str = ""
    since: datetime | None = None
    until: datetime | None = None
    variant_ids: Collection[int] | None = None


def orders_asked_for(asked: Asked, *, after: str | None = None, limit: int = 50) -> Part[Order]:
    """What waits for work: priority first, then the oldest; everything else the newest first. With their lines."""
    return _part(asked, selectinload(Order.lines), after=after, limit=limit)


def every_order_asked_for(asked: Asked) -> Iterator[Sequence[Order]]:
    """All of them, in the same order, a batch at a time. With their lines and parcels."""
    after: str | None = None
    while True:
        part = _part(asked, selectinload(Order.lines), selectinload(Order.shipments), after=after, limit=BATCH)
        yield part.items
        after = part.after
        if after is None:
            return


def _part(asked: Asked, *options: ExecutableOption, after: str | None, limit: int) -> Part[Order]:
    query = sa.select(Order).where(*_conditions(asked)).options(*options)
    if asked.state not in WORK:
        return part_of(query, keys=[Order.id], after=after, limit=limit)
    query = query.options(sa.orm.undefer(Order.unhurried))
    return part_of(query, keys=[Order.unhurried, Order.id], after=after, limit=limit, newest_first=False)


def _conditions(asked: Asked) -> Iterator[sa.ColumnElement[bool]]:
    yield from within(asked.units)
    yield from _selected(asked.state)
    if asked.number or asked.member_ids is not None:
        begins = Order.number.startswith(asked.number.upper(), autoescape=True) if asked.number else sa.false()
        yield begins | Order.member_id.in_(asked.member_ids or ())
    if asked.unit_id is not None:
        yield Order.unit_id == asked.unit_id
    if asked.delivery:
        yield Order.delivery == asked.delivery
    if asked.since is not None:
        yield Order.placed_at >= asked.since
    if asked.until is not None:
        yield Order.placed_at < asked.until
    if asked.variant_ids is not None:
        yield Order.id.in_(sa.select(OrderLine.order_id).where(any_of(OrderLine.variant_id, asked.variant_ids)))


def within(units: Collection[int] | None) -> list[sa.ColumnElement[bool]]:
    return [] if units is None else [Order.unit_id.in_(units)]


def _selected(state: str) -> list[sa.ColumnElement[bool]]:
    if not state:
        return []
    if state == "codes":
        return [Order.state.in_(PAID), awaits(OrderLine.kind.not_in(BY_HAND))]
    if state == "handout":
        return [Order.state == "paid", Order.parcel.is_(False), awaits(OrderLine.kind.in_(BY_HAND))]
    if state == "paid":
        return [Order.state == "paid", Order.parcel.is_(True)]
    return [Order.state == state]


def how_many_wait(*, units: Collection[int] | None) -> dict[str, int]:
    """How many orders ask for each kind of work."""
    figures = [
        sa.select(sa.literal(state), sa.func.count()).select_from(Order).where(*within(units), *_selected(state))
        for state in WORK
    ]
    return {state: count for state, count in db.session.execute(sa.union_all(*figures)) if count}


def orders_numbered(numbers: Collection[str], *, units: Collection[int] | None) -> Sequence[Order]:
    """Those of ``units`` among these numbers, as they are worked off: priority first, then the oldest."""
    query = sa.select(Order).where(any_of(Order.number, numbers), *within(units))
    parcels = selectinload(Order.shipments).joinedload(Shipment.pieces)
    return db.session.scalars(
        query.options(selectinload(Order.lines), parcels).order_by(Order.unhurried, Order.id)
    ).all()


def left_to_send(order_id: int) -> int:
    """How many pieces of it no parcel has taken along yet."""
    open_ = sa.func.sum(OrderLine.quantity - OrderLine.fulfilled - OrderLine.cancelled)
    return db.session.scalar(sa.select(open_).where(OrderLine.order_id == order_id, OrderLine.kind == "physical")) or 0
