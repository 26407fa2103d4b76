"""What tiers tell the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Raise:
    member_id: int
    from_tier_id: int
    to_tier_id: int


@dataclass(frozen=True, slots=True)
class TiersRaised:
    """These members reached a higher tier; once per review."""

    raises: tuple[Raise, ...]
    at: datetime
