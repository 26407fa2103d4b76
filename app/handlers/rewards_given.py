"""Members were rewarded for something: they may have reached a milestone, and the points count for their tiers."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.earning import actions as earning
from app.loyalty.earning.events import RewardsGiven
from app.loyalty.tiers import actions as tiers


@handles(RewardsGiven)
def look_at_milestones_and_tiers(event: RewardsGiven) -> None:
    earning.review_milestones(event.member_ids, now=event.at)
    tiers.review_upgrades(event.member_ids, now=event.at)
