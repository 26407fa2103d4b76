"""Members reached a milestone: where that brings a benefit, it is theirs from now on."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.benefits import actions as benefits
from app.loyalty.earning.events import MilestonesReached


@handles(MilestonesReached)
def give_benefits(event: MilestonesReached) -> None:
    gifts = [benefits.Gift(each.member_id, each.benefit, each.key, each.milestone) for each in event.prizes]
    if gifts:
        benefits.give_by_rule(gifts, now=event.at)
