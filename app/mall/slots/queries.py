"""Reads of time slots and bookings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager

from app.foundation.database import any_of, db
from app.foundation.errors import NotFound
from app.foundation.listing import Part, part_of
from app.foundation.terms import current
from app.mall.catalog.queries import variants_of_kind
from app.mall.slots.errors import BookedByItself, NotBooked, TimeFull, TimeGone, TimeMissing
from app.mall.slots.models import Booking, ServiceSlot
from app.mall.slots.rules import Spell
from app.mall.slots.terms import SlotTerms

__all__ = [
    "Booked",
    "BookedByItself",
    "Mismatch",
    "NotBooked",
    "Slot",
    "SlotTerms",
    "TimeFull",
    "TimeGone",
    "TimeMissing",
    "ahead_of",
    "booked_between",
    "booking_of_lines",
    "bookings_in",
    "bookings_of",
    "given_up_until",
    "mismatches",
    "over_since",
    "services_among",
    "slot_ahead",
    "waits_for_its_time",
]


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked."""

    id: int
    variant_id: int
    starts_at: datetime
    ends_at: datetime
    place: str
    free: int


_FREE = ServiceSlot.places - ServiceSlot.taken
_SLOT = (ServiceSlot.id, ServiceSlot.variant_id, ServiceSlot.starts_at, ServiceSlot.ends_at, ServiceSlot.place, _FREE)


def slot_ahead(slot_id: int, *, variant_id: int, now: datetime) -> Slot:
    """A slot of this service that can be booked now, whether places are left or not. Raises ``TimeGone``."""
    found = db.session.execute(
        sa.select(*_SLOT).where(
            ServiceSlot.id == slot_id,
            ServiceSlot.variant_id == variant_id,
            ServiceSlot.closed.is_(False),
            ServiceSlot.starts_at > now,
        )
    ).one_or_none()
    if found is None:
        raise TimeGone
    return Slot(*found)


def slots_ahead(variant_id: int, *, since: datetime, until: datetime, limit: int = 1_000) -> list[Slot]:
    """The slots of a service that can be booked and begin between two moments, in order; also full ones."""
    query = sa.select(*_SLOT).where(
        ServiceSlot.variant_id == variant_id,
        ServiceSlot.closed.is_(False),
        ServiceSlot.starts_at > since,
        ServiceSlot.starts_at < until,
    )
    return [
        Slot(*row) for row in db.session.execute(query.order_by(ServiceSlot.starts_at, ServiceSlot.id).limit(limit))
    ]


# --- services --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A variant of a service 服务, in the mall or not: who gives it, and what it is called."""

    variant_id: int
    sku: str
    stock: int
    active: bool
    variant_name: Mapping[str, str]
    slug: str
    name: Mapping[str, str]
    unit_id: int


def services(units: Collection[int] | None) -> list[Service]:
    """Every variant that is a service of these units (``None``: of all), by one query."""
    every = [Service(**row) for row in db.session.execute(variants_of_kind("service")).mappings()]
    mine = [each for each in every if units is None or each.unit_id in units]
    return sorted(mine, key=lambda each: (each.unit_id, each.slug, each.variant_id))


def any_slots(variant_ids: Collection[int]) -> bool:
    """Was one of these variants ever given at a time?"""
    there = sa.exists().where(any_of(ServiceSlot.variant_id, variant_ids))
    return db.session.scalar(sa.select(there)) is True


def services_among(variant_ids: Collection[int]) -> set[int]:
    """Which of these variants are services."""
    every = variants_of_kind("service").subquery()
    return set(db.session.scalars(sa.select(every.c.variant_id).where(any_of(every.c.variant_id, variant_ids))))


# --- for merchants ---------------------------------------------------------------------------------


def slots_between(variant_id: int, start: datetime, end: datetime) -> Sequence[ServiceSlot]:
    """All slots of a service that begin between two moments, open or not."""
    query = sa.select(ServiceSlot).where(
        ServiceSlot.variant_id == variant_id, ServiceSlot.starts_at >= start, ServiceSlot.starts_at < end
    )
    return db.session.scalars(query.order_by(ServiceSlot.starts_at, ServiceSlot.place)).all()


def slot_of(variant_ids: Collection[int], slot_id: int) -> ServiceSlot | None:
    """One slot among those of these services."""
    query = sa.select(ServiceSlot).where(ServiceSlot.id == slot_id, any_of(ServiceSlot.variant_id, variant_ids))
    return db.session.scalar(query)


def latest_slot(variant_id: int) -> ServiceSlot | None:
    """The one that was added last."""
    query = sa.select(ServiceSlot).where(ServiceSlot.variant_id == variant_id).order_by(ServiceSlot.id.desc())
    return db.session.scalars(query.limit(1)).one_or_none()


def next_times(variant_ids: Collection[int], now: datetime) -> dict[int, tuple[datetime, int]]:
    """When each service is given next, and how many places are free altogether, for those with open slots ahead."""
    query = (
        sa.select(ServiceSlot.variant_id, sa.func.min(ServiceSlot.starts_at), sa.func.sum(_FREE))
        .where(any_of(ServiceSlot.variant_id, variant_ids), ServiceSlot.closed.is_(False), ServiceSlot.starts_at > now)
        .group_by(ServiceSlot.variant_id)
    )
    return {variant_id: (first, int(free)) for variant_id, first, free in db.session.execute(query)}


@dataclass(frozen=True, slots=True)
class Sharing:
    """A service by its SKU, and the variants whose times may not overlap with its own at a place."""

    sku: str
    sharing: list[int]


def sharing(variant_id: int, place: str) -> Sharing:
    """A named place is one room of the unit, whatever is given there; without a name each service has its own.

    Raises ``NotFound`` where the variant is no service.
    """
    every = services(None)
    mine = next((each for each in every if each.variant_id == variant_id), None)
    if mine is None:
        raise NotFound
    if not place:
        return Sharing(mine.sku, [variant_id])
    return Sharing(mine.sku, [each.variant_id for each in every if each.unit_id == mine.unit_id])


def spells_at(
    *, variant_ids: Collection[int], place: str, between: tuple[Spell, Spell], but_of: int = 0
) -> list[Spell]:
    """When a place is taken, as far as it touches the time from the first to the last of these spells.

    What is closed and booked by nobody takes no place.
    """
    first, last = between
    longest = sa.select(ServiceSlot.starts_at, ServiceSlot.ends_at).where(
        any_of(ServiceSlot.variant_id, variant_ids),
        ServiceSlot.place == place,
        ServiceSlot.id != but_of,
        ServiceSlot.starts_at < last.ends_at,
        ServiceSlot.ends_at > first.starts_at,
        ServiceSlot.closed.is_(False) | (ServiceSlot.taken > 0),
    )
    return [Spell(*row) for row in db.session.execute(longest)]


# --- bookings --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking with its time. ``state`` is one of ``models.STATES``."""

    id: int
    slot_id: int
    variant_id: int
    order_line_id: int
    order_number: str
    member_id: int
    places: int
    state: str
    starts_at: datetime
    ends_at: datetime
    place: str


_BOOKED = sa.select(
    Booking.id,
    Booking.slot_id,
    ServiceSlot.variant_id,
    Booking.order_line_id,
    Booking.order_number,
    Booking.member_id,
    Booking.places,
    Booking.state,
    ServiceSlot.starts_at,
    ServiceSlot.ends_at,
    ServiceSlot.place,
).join(ServiceSlot, ServiceSlot.id == Booking.slot_id)


def booking_of_lines(order_line_ids: Collection[int]) -> Booked | None:
    """The booking of an order, of which these are the lines; a booked time is an order by itself."""
    row = db.session.execute(_BOOKED.where(any_of(Booking.order_line_id, order_line_ids))).first()
    return Booked(*row) if row else None


def bookings_in(slot_id: int) -> list[Booked]:
    """Whoever booked a slot, also those who gave it up, in the order of booking."""
    return [Booked(*row) for row in db.session.execute(_BOOKED.where(Booking.slot_id == slot_id).order_by(Booking.id))]


def bookings_of(member_id: int, *, past: bool, after: str | None, limit: int, now: datetime) -> Part[Booked]:
    """A member's bookings: those still to come, the next first; or all others, the latest first."""
    to_come = sa.and_(Booking.state == "booked", ServiceSlot.ends_at > now)
    query = sa.select(Booking).join(Booking.slot).options(contains_eager(Booking.slot))
    query = query.where(Booking.member_id == member_id, ~to_come if past else to_come)
    part = part_of(query, keys=[ServiceSlot.starts_at, Booking.id], after=after, limit=limit, newest_first=past)
    ids = [booking.id for booking in part.items]
    found = {row.id: Booked(*row) for row in db.session.execute(_BOOKED.where(any_of(Booking.id, ids)))}
    return Part([found[each] for each in ids], part.after)


def booked_between(variant_ids: Collection[int], start: datetime, end: datetime) -> list[Booked]:
    """Who comes to these services between two moments, by time; not those who gave it up."""
    there = _BOOKED.where(
        any_of(ServiceSlot.variant_id, variant_ids),
        ServiceSlot.starts_at >= start,
        ServiceSlot.starts_at < end,
        Booking.state != "cancelled",
    )
    in_order = there.order_by(ServiceSlot.starts_at, ServiceSlot.place, ServiceSlot.id, Booking.id)
    return [Booked(*row) for row in db.session.execute(in_order)]


def over_since(moment: datetime, *, after: int, limit: int) -> list[Booked]:
    """Bookings whose time ended by then and of which nobody said anything, by id."""
    silent = _BOOKED.where(Booking.state == "booked", ServiceSlot.ends_at <= moment, Booking.id > after)
    return [Booked(*row) for row in db.session.execute(silent.order_by(Booking.id).limit(limit))]


def ahead_of(order_line_ids: Collection[int], *, now: datetime) -> set[int]:
    """Which of these lines wait for a booked time that is still to come."""
    ahead = (
        sa.select(Booking.order_line_id)
        .join(ServiceSlot, ServiceSlot.id == Booking.slot_id)
        .where(any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked", ServiceSlot.starts_at > now)
    )
    return set(db.session.scalars(ahead))


def waits_for_its_time(order_line_ids: Collection[int], *, now: datetime) -> bool:
    """Is the booked time of one of these lines still to come?"""
    return bool(ahead_of(order_line_ids, now=now))


def given_up_until(order_line_ids: Collection[int]) -> dict[int, datetime]:
    """Until when whoever booked for these lines may give it up, by line. None for a line without a booking."""
    booked = (
        sa.select(Booking.order_line_id, ServiceSlot.starts_at)
        .join(ServiceSlot, ServiceSlot.id == Booking.slot_id)
        .where(any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked")
    )
    rows = db.session.execute(booked).all()
    notice = current(SlotTerms).to_cancel if rows else None
    return {line_id: starts_at - notice for line_id, starts_at in rows if notice is not None}


# --- what the stock follows ------------------------------------------------------------------------


def begun(now: datetime) -> Sequence[int]:
    """Services with slots that have begun and count as open still."""
    query = sa.select(ServiceSlot.variant_id).where(ServiceSlot.closed.is_(False), ServiceSlot.starts_at <= now)
    return db.session.scalars(query.distinct().order_by(ServiceSlot.variant_id)).all()


def free_places(variant_ids: Collection[int] | None = None) -> dict[int, int]:
    """The free places of the open slots of services, by variant; those without any are left out."""
    query = sa.select(ServiceSlot.variant_id, sa.func.sum(_FREE)).where(ServiceSlot.closed.is_(False))
    if variant_ids is not None:
        query = query.where(any_of(ServiceSlot.variant_id, variant_ids))
    return {variant_id: int(free) for variant_id, free in db.session.execute(query.group_by(ServiceSlot.variant_id))}


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A service whose stock is not what its slots have free, or a slot whose places are not what is booked."""

    variant_id: int
    slot_id: int | None
    said: int
    found: int

    def __str__(self) -> str:
        if self.slot_id is None:
            return f"variant {self.variant_id}: stock {self.said}, but {self.found} places are free"
        return f"slot {self.slot_id}: {self.said} places taken, but {self.found} are booked"


def mismatches() -> list[Mismatch]:
    """Where books and slots differ; empty when all is well."""
    stock, free = {each.variant_id: each.stock for each in services(None)}, free_places()
    wrong = [
        Mismatch(variant_id, None, stock.get(variant_id, 0), free.get(variant_id, 0))
        for variant_id in sorted(stock.keys() | free.keys())
        if stock.get(variant_id, 0) != free.get(variant_id, 0)
    ]
    booked = sa.func.coalesce(sa.func.sum(Booking.places), 0)
    uneven = (
        sa.select(ServiceSlot.variant_id, ServiceSlot.id, ServiceSlot.taken, booked)
        .outerjoin(Booking, Booking.slot_id == ServiceSlot.id)
        .group_by(ServiceSlot.variant_id, ServiceSlot.id, ServiceSlot.taken)
        .having(booked != ServiceSlot.taken)
        .order_by(ServiceSlot.id)
    )
    return wrong + [Mismatch(*row) for row in db.session.execute(uneven)]
