"""Invitations were rewarded: the points count for the tiers of both like any others that were earned."""

from __future__ import annotations

from app.engagement.referrals.events import ReferralsRewarded
from app.foundation.events import handles
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers


@handles(ReferralsRewarded)
def review_tiers(event: ReferralsRewarded) -> None:
    earning.review_milestones(event.member_ids, now=event.at)
    tiers.review_upgrades(event.member_ids, now=event.at)
