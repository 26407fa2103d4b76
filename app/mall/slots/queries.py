"""Reads of time slots and bookings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.mall.slots.errors import BookedByItself, TimeFull, TimeGone, TimeMissing
from app.mall.slots.models import Booking, ServiceSlot

__all__ = [
    "BookedByItself",
    "Slot",
    "TimeFull",
    "TimeGone",
    "TimeMissing",
    "given_up_until",
    "slot_ahead",
    "waits_for_its_time",
]

NOTICE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked."""

    id: int
    variant_id: int
    starts_at: datetime
    ends_at: datetime
    place: str
    free: int


def slot_ahead(slot_id: int, *, variant_id: int, now: datetime) -> Slot:
    """A slot of this service that can be booked now, whether places are left or not. Raises ``TimeGone``."""
    found = db.session.execute(
        sa.select(
            ServiceSlot.id,
            ServiceSlot.variant_id,
            ServiceSlot.starts_at,
            ServiceSlot.ends_at,
            ServiceSlot.place,
            ServiceSlot.places - ServiceSlot.taken,
        ).where(
            ServiceSlot.id == slot_id,
            ServiceSlot.variant_id == variant_id,
            ServiceSlot.closed.is_(False),
            ServiceSlot.starts_at > now,
        )
    ).one_or_none()
    if found is None:
        raise TimeGone
    return Slot(*found)


def waits_for_its_time(order_line_ids: Collection[int], *, now: datetime) -> bool:
    """Is the booked time of one of these lines still to come?"""
    ahead = (
        sa.select(Booking.id)
        .join(ServiceSlot, ServiceSlot.id == Booking.slot_id)
        .where(any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked", ServiceSlot.starts_at > now)
    )
    return db.session.scalar(sa.select(ahead.exists())) is True


def given_up_until(order_line_ids: Collection[int]) -> dict[int, datetime]:
    """Until when whoever booked for these lines may give it up, by line. None for a line without a booking."""
    booked = (
        sa.select(Booking.order_line_id, ServiceSlot.starts_at)
        .join(ServiceSlot, ServiceSlot.id == Booking.slot_id)
        .where(any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked")
    )
    return {line_id: starts_at - NOTICE for line_id, starts_at in db.session.execute(booked)}
