"""Milestones were undone by a return: benefits that they had brought and nobody has claimed yet go, too."""

from __future__ import annotations

from app.foundation.events import handles
from app.loyalty.benefits import actions as benefits
from app.loyalty.earning.events import MilestonesLost


@handles(MilestonesLost)
def end_benefits(event: MilestonesLost) -> None:
    benefits.end_by_rule(event.keys, now=event.at)
