"""What tiers tell the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Move:
    member_id: int
    from_tier_id: int
    to_tier_id: int


@dataclass(frozen=True, slots=True)
class TiersRaised:
    """These members reached, or were given, a higher tier; once per batch."""

    raises: tuple[Move, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class TiersLowered:
    """These members stand on a lower tier now: after a review, a return, or at the end of a tier given by hand."""

    falls: tuple[Move, ...]
    at: datetime
