"""What happens to bookings when nobody says anything."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.jobs import periodic
from app.mall.bookings import actions
from app.mall.orders.queries import ids_of_numbers
from app.mall.slots.queries import over_since

log = logging.getLogger(__name__)
BATCH = 500
PATIENCE = timedelta(days=1)


@periodic("take-as-attended", minute="27")
def take_as_attended(*, now: datetime) -> int:
    """A booking whose time ended a day ago counts as attended. Returns how many."""
    done, last = 0, 0
    while batch := over_since(now - PATIENCE, after=last, limit=BATCH):
        ids = ids_of_numbers([booked.order_number for booked in batch])
        done += sum(_attended(ids[booked.order_number], now) for booked in batch)
        last = batch[-1].id
    return done


def _attended(order_id: int, now: datetime) -> bool:
    try:
        with transaction():
            actions.take_as_attended(order_id=order_id, now=now)
    except DomainError:
        return False  # Somebody was quicker.
    except Exception:  # One broken order must not keep the others waiting; the next hour's log shows it again.
        log.exception("the booking of order %s could not be taken as attended", order_id)
        return False
    return True
