"""What members' benefits are worth at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Multiplier:
    """``times`` so many points, and why: the tier's name, or the benefit's."""

    name: Mapping[str, str]
    times: Fraction


@dataclass(frozen=True, slots=True)
class Shopping:
    """A member who buys something of a unit at a moment."""

    member_id: int
    unit_code: str
    at: datetime


def multipliers(asked: Sequence[Shopping]) -> list[Multiplier | None]:
    """The best points multiplier for each, as it was at its moment; a handful of queries for all together."""
    return [None for _each in asked]
