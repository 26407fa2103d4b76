"""A member checked in: the points count for the tier like any others that were earned."""

from __future__ import annotations

from app.engagement.checkin.events import CheckedIn
from app.foundation.events import handles
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers


@handles(CheckedIn)
def review_tier(event: CheckedIn) -> None:
    earning.review_milestones([event.member_id], now=event.at)
    tiers.review_upgrades([event.member_id], now=event.at)
