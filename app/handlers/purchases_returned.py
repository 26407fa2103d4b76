"""Members returned something: milestones that they reached by it are undone, and their tiers are looked at again."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.earning import actions as earning
from app.loyalty.purchases.events import PurchasesReturned
from app.loyalty.tiers import actions as tiers


@handles(PurchasesReturned)
def look_at_tiers_again(event: PurchasesReturned) -> None:
    earning.take_back_milestones(event.member_ids, now=event.at)
    tiers.count_returns(event.member_ids, now=event.at)
