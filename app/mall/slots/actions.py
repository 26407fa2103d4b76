"""Verbs of time slots. Locks: the variant first (stock), then the slot. The order's row is locked by the caller."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from app.foundation.database import LockOrder, any_of, db, lock
from app.mall.slots.errors import TimeFull, TimeGone
from app.mall.slots.models import Booking, ServiceSlot


def book(
    *,
    slot_id: int,
    variant_id: int,
    order_line_id: int,
    order_number: str,
    member_id: int,
    places: int,
    now: datetime,
) -> Booking:
    """Take so many places of a slot for a line of an order. Raises ``TimeGone`` or ``TimeFull``."""
    slot = db.session.scalars(_locking(slot_id)).one_or_none()
    if slot is None or slot.variant_id != variant_id or slot.closed or slot.starts_at <= now:
        raise TimeGone
    if slot.free < places:
        raise TimeFull(slot.free)
    _change_taken(slot, places)
    booking = Booking(
        slot_id=slot.id,
        order_line_id=order_line_id,
        order_number=order_number,
        member_id=member_id,
        places=places,
        state="booked",
        booked_at=now,
        changed_at=now,
    )
    db.session.add(booking)
    db.session.flush()
    return booking


def release(*, order_line_id: int, places: int, now: datetime) -> bool:
    """Give so many places of a line's booking back. ``True`` where others can book them, and the stock counts them.

    A line from before times were booked has no booking; its places are free at once.
    """
    mine = sa.select(Booking).where(Booking.order_line_id == order_line_id, Booking.state == "booked")
    booking = db.session.scalars(mine).one_or_none()
    if booking is None:
        return True
    slot = db.session.scalars(_locking(booking.slot_id)).one()
    _change_taken(slot, -places)
    booking.places -= places
    booking.changed_at = now
    if not booking.places:
        booking.state = "cancelled"
    db.session.flush()
    return not slot.closed and slot.starts_at > now


def attend(*, order_line_ids: Collection[int], now: datetime) -> None:
    """Whoever booked for these lines has come."""
    booked = any_of(Booking.order_line_id, order_line_ids), Booking.state == "booked"
    db.session.execute(
        sa.update(Booking)
        .where(*booked)
        .values(state="attended", changed_at=now)
        .execution_options(synchronize_session=False)
    )


def _locking(slot_id: int) -> sa.Select[ServiceSlot]:
    return lock(LockOrder.STOCK, sa.select(ServiceSlot).where(ServiceSlot.id == slot_id))


def _change_taken(slot: ServiceSlot, places: int) -> None:
    """As a step from where the database is: its constraint is the last line."""
    db.session.execute(
        sa.update(ServiceSlot)
        .where(ServiceSlot.id == slot.id)
        .values(taken=ServiceSlot.taken + places)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(slot, ["taken"])
