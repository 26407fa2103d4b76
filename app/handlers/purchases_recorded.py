"""Members bought something: they may have reached a milestone; who has reached a higher tier stands on it at once."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.earning import actions as earning
from app.loyalty.purchases.events import PurchasesRecorded
from app.loyalty.tiers import actions as tiers


@handles(PurchasesRecorded)
def review_tiers(event: PurchasesRecorded) -> None:
    earning.review_milestones(event.member_ids, now=event.at, moments=event.moments)
    tiers.review_upgrades(event.member_ids, now=event.at)
