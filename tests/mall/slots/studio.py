"""A small yoga studio for tests: a service, its times, and short ways to book and look."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.mall.orders.models import OrderLine
from app.mall.slots import actions
from app.mall.slots.models import Booking, ServiceSlot
from app.mall.slots.rules import Spell
from tests.conftest import NOON
from tests.mall.orders.shop import Goods, make_goods, order_some

MEI = Actor("staff", 7, "Mei Zhao")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def spell(days: float = 2, *, hours: float = 1) -> Spell:
    """So many days from noon on."""
    starts = NOON + timedelta(days=days)
    return Spell(starts, starts + timedelta(hours=hours))


def add(goods: Goods, *days: float, places: int = 8, place: str = "", now: datetime = NOON, hours: float = 1) -> None:
    with transaction():
        actions.add_times(
            variant_id=goods.variant_id,
            spells=[spell(each, hours=hours) for each in days],
            places=places,
            place=place,
            by=MEI,
            now=now,
        )


def yoga(*days: float, places: int = 8, **fields: Any) -> Goods:
    """A service that is given so many days from noon on; ``slot_id`` is the first of these times."""
    goods = make_goods("Yoga", kind="service", stock=0, **fields)
    if days:
        add(goods, *days, places=places)
    first = db.session.scalar(sa.select(sa.func.min(ServiceSlot.id)).where(ServiceSlot.variant_id == goods.variant_id))
    return replace(goods, slot_id=first)


def book(member_id: int, goods: Goods, *, places: int = 1, slot_id: int | None = None, now: datetime = NOON) -> int:
    """Returns the order's id."""
    chosen = goods if slot_id is None else replace(goods, slot_id=slot_id)
    return order_some(member_id, chosen, quantity=places, address=None, now=now)


def slots(goods: Goods) -> list[ServiceSlot]:
    db.session.rollback()
    query = sa.select(ServiceSlot).where(ServiceSlot.variant_id == goods.variant_id).order_by(ServiceSlot.starts_at)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def taken(goods: Goods) -> list[tuple[int, int, bool]]:
    """(taken, places, closed) of each of its slots."""
    return [(slot.taken, slot.places, slot.closed) for slot in slots(goods)]


def booking_of(order_id: int) -> Booking:
    db.session.rollback()
    line = sa.select(OrderLine.id).where(OrderLine.order_id == order_id).scalar_subquery()
    query = sa.select(Booking).where(Booking.order_line_id == line)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()
