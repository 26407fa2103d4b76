"""What earning tells the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RewardsGiven:
    """These members were rewarded for something that is no purchase; once per batch, each member once."""

    member_ids: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class MilestonesReached:
    """These members reached milestones; ``benefits`` are those to grant, as (member, benefit's code, key)."""

    member_ids: tuple[int, ...]
    benefits: tuple[tuple[int, str, str], ...]
    at: datetime
