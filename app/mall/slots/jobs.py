"""What the clock does to slots."""

from __future__ import annotations

import logging
from datetime import datetime

from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.mall.slots import actions, queries

log = logging.getLogger(__name__)


@periodic("close-begun-slots", minute="*")
def close_begun(*, now: datetime) -> int:
    """Slots that have begun leave the stock, one transaction per service. Returns how many.

    Should it come late, nothing is booked meanwhile: whoever books looks at the clock.
    """
    closed = 0
    for variant_id in queries.begun(now):
        try:
            with transaction():
                closed += actions.close_begun(variant_id=variant_id, now=now)
        except Exception:  # One service must not hold up the others; the next minute tries again.
            log.exception("times of variant %s that have begun could not be closed", variant_id)
    return closed
