"""Who has spent enough is found by looking, not by being told.

A purchase reaches us from tills, from the mall, from imports of last month, and counts only after its return window:
no single event is the moment. Looking also keeps an import of thousands of purchases, which holds its members' wallets,
from waiting for those of their inviters. Each batch is a transaction of its own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.engagement.referrals import queries
from app.engagement.referrals.actions import settle
from app.foundation.database import transaction
from app.foundation.jobs import periodic

BATCH = 200
REMEMBERED = timedelta(days=400)  # A purchase that is reported later than that changes no referral any more.


@periodic("settle-referrals", minute="*/5")
def settle_referrals(*, now: datetime) -> int:
    """Pay for the friends who have spent enough by now. Returns how many invitations were rewarded."""
    return _settle_all("joined", now)


@periodic("revisit-referrals", hour="4", minute="20")
def revisit_referrals(*, now: datetime) -> int:
    """Those who ran out of time may have shopped in time all the same, and their till reported it late."""
    return _settle_all("lapsed", now)


def _settle_all(state: str, now: datetime) -> int:
    rewarded = last = 0
    while batch := queries.awaiting(state, joined_since=now - REMEMBERED, after=last, limit=BATCH):
        with transaction():
            rewarded += settle(referral_ids=batch, now=now)
        last = batch[-1]
    return rewarded
