"""A time is cancelled by the shop: nobody can book it any more, and whoever has is paid back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime

from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.mall.bookings import actions
from app.mall.orders.queries import ids_of_numbers
from app.mall.slots import actions as slots
from app.mall.slots.queries import bookings_in

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CalledOff:
    """How many bookings were cancelled, and the numbers of the orders that resisted."""

    done: int = 0
    failed: list[str] = field(default_factory=list)


def call_off_slot(*, slot_id: int, reason: str, by: Actor, now: datetime) -> CalledOff:
    """Close it, then cancel each booking in a transaction of its own: one that resists does not keep the others.

    Whatever interrupts it, the slot is closed by then; once more goes on with the rest. Must not be called inside a
    transaction. Audited.
    """
    with transaction():
        slots.close(slot_id=slot_id, by=by, now=now)
        waiting = [booked.order_number for booked in bookings_in(slot_id) if booked.state == "booked"]
        slots.note_called_off(slot_id=slot_id, reason=reason, bookings=len(waiting), by=by, now=now)
    ids, made = ids_of_numbers(waiting), CalledOff()
    for number in waiting:
        try:
            with transaction():
                made.done += actions.call_off(order_id=ids[number], slot_id=slot_id, reason=reason, by=by, now=now)
        except Exception:
            log.exception("the booking of order %s could not be cancelled", number)
            made.failed.append(number)
    return made
