"""Members returned something: whoever reached their tier by it is looked at again."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.purchases.events import PurchasesReturned
from app.loyalty.tiers import actions as tiers


@handles(PurchasesReturned)
def look_at_tiers_again(event: PurchasesReturned) -> None:
    tiers.count_returns(event.member_ids, now=event.at)
