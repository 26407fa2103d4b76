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
class Prize:
    """A benefit that a member has reached; ``key`` names the fact, ``milestone`` is the milestone's name."""

    member_id: int
    benefit: str
    key: str
    milestone: str


@dataclass(frozen=True, slots=True)
class MilestonesReached:
    """These members reached milestones; ``prizes`` are the benefits among what that brings."""

    member_ids: tuple[int, ...]
    prizes: tuple[Prize, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class MilestonesLost:
    """Returns undid these milestones, by their keys: what they brought is taken back."""

    keys: tuple[str, ...]
    at: datetime
