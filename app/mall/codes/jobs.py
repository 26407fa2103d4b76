"""What happens to code pools when nobody does anything."""

from __future__ import annotations

import logging
from datetime import datetime

from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.mall.codes import actions, queries

log = logging.getLogger(__name__)


# Every hour, because the programme's midnight is not the worker's.
@periodic("withdraw-ended-codes", minute="4")
def withdraw_ended(*, now: datetime) -> int:
    """Take free codes that end too soon to be sold out of their pools. Returns how many."""
    withdrawn = 0
    for variant_id in queries.pools_with_ended(now=now):
        try:
            with transaction():
                withdrawn += actions.withdraw_ended(variant_id=variant_id, now=now)
        except Exception:  # One pool must not hold up the others; the next hour tries again.
            log.exception("codes of variant %s that have ended could not be withdrawn", variant_id)
    return withdrawn
