"""Members brought growth from an old system: who has reached a higher tier with it stands on it at once."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.openings.events import GrowthBrought
from app.loyalty.tiers import actions as tiers


@handles(GrowthBrought)
def review_tiers(event: GrowthBrought) -> None:
    tiers.review_upgrades(event.member_ids, now=event.at)
