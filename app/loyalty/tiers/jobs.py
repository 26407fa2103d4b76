"""What time does to tiers: those given by hand end, and once a month all are reviewed."""

from __future__ import annotations

import logging
from datetime import datetime

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.foundation.terms import current
from app.loyalty.tiers.actions import end_due_grants
from app.loyalty.tiers.reviews import BATCH, begin_review, review_some
from app.loyalty.tiers.terms import TierTerms

log = logging.getLogger(__name__)


@periodic("end-given-tiers", minute="12")
def end_given_tiers(*, now: datetime) -> int:
    """Whoever had a tier by hand until yesterday falls to what they have earned. Returns how many."""
    total = 0
    while True:
        with transaction():
            ended = end_due_grants(now=now)
        if not ended:
            return total
        total += ended


@periodic("review-tiers", minute="22")
def review_tiers(*, now: datetime, limit: int = BATCH) -> int:
    """The review of the current month, from its day on, once. Returns the number of batches.

    A month in which no worker ran is not made up for: downgrades never pile up.
    """
    today = clock.local_date(now, clock.programme_zone())
    if today.day < current(TierTerms).review_day:
        return 0
    month = today.replace(day=1)
    with transaction():
        if not begin_review(month, now=now):
            return 0
    batches, left = 0, True
    while left:
        with transaction():
            left = review_some(month, now=now, limit=limit)
        batches += 1
    log.info("The tiers of all members are reviewed for %s.", month)
    return batches
