"""What to do next: a few suggestions, the most urgent first. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Suggestion = Literal["pay_order", "expiring", "redeem", "next_tier", "save_up", "profile"]
MOST = 3
NEARLY = 0.6  # From this share of the way on, the next tier is worth a word.


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the suggestions depend on. Points are whole numbers; ``reach`` is the price of the nearest product.

    Checking in is not among them: its button stands on the same page anyway.
    """

    unpaid_order: bool
    available: int
    expiring: int
    reach: int | None
    tier_share: float | None
    profile_complete: bool


def suggest(situation: Situation) -> list[Suggestion]:
    """At most three things, in the order of what a member would lose by waiting."""
    affordable = situation.reach is not None and situation.reach <= situation.available
    rules: list[tuple[Suggestion, bool]] = [
        ("pay_order", situation.unpaid_order),
        ("expiring", situation.expiring > 0),
        ("redeem", affordable and situation.expiring == 0),
        ("next_tier", (situation.tier_share or 0) >= NEARLY),
        ("profile", not situation.profile_complete),
        ("save_up", situation.reach is not None and not affordable),
    ]
    return [suggestion for suggestion, applies in rules if applies][:MOST]
