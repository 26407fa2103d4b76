"""A member claimed a gift: its points count for milestones and the tier like any others that were earned."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.benefits.events import GiftClaimed
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers


@handles(GiftClaimed)
def review_tier(event: GiftClaimed) -> None:
    if event.points:
        earning.review_milestones([event.member_id], now=event.at)
        tiers.review_upgrades([event.member_id], now=event.at)
