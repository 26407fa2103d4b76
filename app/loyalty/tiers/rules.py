"""When a tier is reached. Pure: the ladder and a member's figures in, a rank out."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.foundation.errors import InvalidInput

METRICS = ("spend", "purchases", "points_earned", "growth")
Figures = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Condition:
    """``at_least`` in the metric's own unit: minor units of money for ``spend``, a count for the others."""

    metric: str
    at_least: int

    def met(self, figures: Figures) -> bool:
        return figures[self.metric] >= self.at_least


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one tier asks for over the last ``window_months``: ``any`` or ``all`` of its conditions."""

    match: str
    window_months: int
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Requirement:
        """Read a tier's ``conditions``. Raises ``InvalidInput`` when they make no sense."""
        match, window = data.get("match", "any"), data.get("window_months", 12)
        conditions = tuple(Condition(each["metric"], each["at_least"]) for each in data.get("conditions", ()))
        if match not in ("any", "all"):
            raise InvalidInput(f"A tier asks for any or all of its conditions, not {match!r}.")
        if type(window) is not int or window < 1:
            raise InvalidInput(f"{window!r} is not a number of months.")
        for each in conditions:
            if each.metric not in METRICS:
                raise InvalidInput(f"{each.metric!r} is nothing that a tier can ask for.")
            if type(each.at_least) is not int or each.at_least < 1:
                raise InvalidInput(f"{each.at_least!r} is not a threshold.")
        return cls(match, window, conditions)

    def reached(self, figures: Figures) -> bool:
        """A tier that asks for nothing is never reached by itself: it is given by hand."""
        met = [condition.met(figures) for condition in self.conditions]
        return bool(met) and (any(met) if self.match == "any" else all(met))


@dataclass(frozen=True, slots=True)
class Step:
    """One tier as the calculation sees it."""

    tier_id: int
    rank: int
    requirement: Requirement


def highest(ladder: Sequence[Step], figures: Mapping[int, Figures], *, above: int) -> Step | None:
    """The highest step above rank ``above`` that is reached; steps in between may be skipped.

    ``figures`` are by window, because each tier may look back over a time of its own.
    """
    reached = [
        step
        for step in ladder
        if step.rank > above and step.requirement.reached(figures[step.requirement.window_months])
    ]
    return max(reached, key=lambda step: step.rank, default=None)


def window(today: date, months: int) -> tuple[date, date]:
    """The first and the last day of the ``months`` that end with today: 16 June 2025 to 15 June 2026.

    From 29 February, 12 months back is 28 February, so the window begins on 1 March.
    """
    index = today.year * 12 + today.month - 1 - months
    year, month = index // 12, index % 12 + 1
    same_day = date(year, month, min(today.day, monthrange(year, month)[1]))
    return same_day + timedelta(days=1), today
