"""What time does to tiers: those given by hand end, and once a month all are reviewed."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.foundation.terms import current, editions, latest
from app.loyalty.tiers import queries
from app.loyalty.tiers.actions import end_due_grants, follow_ladder, review_upgrades
from app.loyalty.tiers.reviews import BATCH, begin_review, review_some
from app.loyalty.tiers.terms import LadderTerms, TierTerms

LIFTING = timedelta(hours=3)
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


@periodic("follow-ladder", minute="*")
def follow(*, now: datetime) -> bool:
    """A ladder that was published for later is put up at its moment."""
    with transaction():
        return follow_ladder(now=now)


@periodic("lift-members", minute="47")
def lift_members(*, now: datetime, limit: int = BATCH) -> int:
    """After a new ladder began, look whether members reach more on it; in batches by id, each in its own transaction.

    For some hours it is done again each hour: that changes nothing, and makes up for a worker that died on the way.
    """
    if latest(LadderTerms) < 2:
        return 0
    began = [each.starts_at for each in editions(LadderTerms) if each.version > 1 and each.starts_at <= now]
    if not began or max(began) < now - LIFTING:
        return 0
    done_to = looked_at = 0
    while True:
        with transaction():
            members = queries.members_after(done_to, limit=limit)
            if not members:
                return looked_at
            review_upgrades(members, now=now)
        done_to, looked_at = members[-1], looked_at + len(members)


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
