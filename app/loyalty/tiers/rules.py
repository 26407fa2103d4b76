"""When a tier is reached, and when it is kept. Pure: the ladder and a member's figures in, a rank out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.foundation.clock import first_of_month, months_after
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


def _condition(data: Mapping[str, Any]) -> Condition:
    metric, at_least = data["metric"], data["at_least"]
    if metric not in METRICS:
        raise InvalidInput(f"{metric!r} is nothing that a tier can ask for.")
    if type(at_least) is not int or at_least < 1:
        raise InvalidInput(f"{at_least!r} is not a threshold.")
    return Condition(metric, at_least)


def _frame(data: Mapping[str, Any]) -> tuple[str, int]:
    """How conditions count together, and over how many months."""
    match, window = data.get("match", "any"), data.get("window_months", 12)
    if match not in ("any", "all"):
        raise InvalidInput(f"A tier asks for any or all of its conditions, not {match!r}.")
    if type(window) is not int or window < 1:
        raise InvalidInput(f"{window!r} is not a number of months.")
    return match, window


def _holds(match: str) -> Callable[[list[bool]], bool]:
    return any if match == "any" else all


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one tier asks for over the last ``window_months``: ``any`` or ``all`` of its conditions."""

    match: str
    window_months: int
    conditions: tuple[Condition, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Requirement:
        """Read a tier's ``conditions``. Raises ``InvalidInput`` when they make no sense."""
        return cls(*_frame(data), tuple(_condition(each) for each in data.get("conditions", ())))

    def reached(self, figures: Figures) -> bool:
        """A tier that asks for nothing is never reached by itself: it is given by hand."""
        met = [condition.met(figures) for condition in self.conditions]
        return bool(met) and _holds(self.match)(met)


# --- keeping ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepCondition:
    """``months`` single months that reach ``at_least`` each; with 0, all months of the window together."""

    metric: str
    at_least: int
    months: int = 0

    def reached(self, by_month: Sequence[Figures]) -> int:
        """The figure that is compared with ``at_least``: the sum, or the ``months``-th best month."""
        values = [figures[self.metric] for figures in by_month]
        return sorted(values, reverse=True)[self.months - 1] if self.months else sum(values)

    def met(self, by_month: Sequence[Figures]) -> bool:
        return self.reached(by_month) >= self.at_least


@dataclass(frozen=True, slots=True)
class Keep:
    """What a tier asks for at the monthly review, over the last ``window_months`` full months."""

    match: str
    window_months: int
    conditions: tuple[KeepCondition, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Keep:
        """Read a tier's ``keep``. Raises ``InvalidInput`` when it makes no sense."""
        match, window = _frame({"match": "all", "window_months": 3} | dict(data))
        conditions = []
        for each in data.get("conditions", ()):
            asked, months = _condition(each), each.get("months", 0)
            if type(months) is not int or not 0 <= months <= window:
                raise InvalidInput(f"{months!r} of {window} months cannot be asked for.")
            conditions.append(KeepCondition(asked.metric, asked.at_least, months))
        return cls(match, window, tuple(conditions))

    @property
    def metrics(self) -> set[str]:
        return {each.metric for each in self.conditions}

    def kept(self, by_month: Sequence[Figures]) -> bool:
        """``by_month`` are the figures of the window's months. A tier that asks for nothing is kept for ever."""
        met = [condition.met(by_month) for condition in self.conditions]
        return not met or _holds(self.match)(met)

    def reviews_survived(self, by_month: Sequence[Figures]) -> int:
        """How many reviews in a row keep the tier when nothing more happens after these months; 0 if not the next."""
        nothing = dict.fromkeys(METRICS, 0)
        for reviews in range(self.window_months + 1):
            if not self.kept([*by_month[reviews:], *[nothing] * reviews]):
                return reviews
        return self.window_months + 1


@dataclass(frozen=True, slots=True)
class Step:
    """One tier as the calculation sees it."""

    tier_id: int
    rank: int
    requirement: Requirement
    keep: Keep = Keep("all", 3, ())


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


# --- days and months ----------------------------------------------------------------------


def window(today: date, months: int) -> tuple[date, date]:
    """The first and the last day of the ``months`` that end with today: 16 June 2025 to 15 June 2026.

    From 29 February, 12 months back is 28 February, so the window begins on 1 March.
    """
    return months_after(today, -months) + timedelta(days=1), today


def full_months(month: date, window_months: int) -> list[date]:
    """The first days of the full months that the review of ``month`` looks at, and of ``month`` itself."""
    return [first_of_month(month, offset) for offset in range(-window_months, 1)]


def next_review(today: date, *, review_day: int) -> date:
    """The month whose review comes next. It happens in the first hours of its day, so on that day it is over."""
    return first_of_month(today, 0 if today.day < review_day else 1)


def first_review(since: date, *, window_months: int) -> date:
    """The month whose review is the first that may lower somebody who came to their tier on the day ``since``.

    A full window has to have passed: whoever came on 10 August, or on the 1st at noon, is first
    looked at over September to November. Only a month that was theirs from its first day counts.
    """
    return first_of_month(since, window_months + 1)
