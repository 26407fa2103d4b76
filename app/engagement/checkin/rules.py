"""Streaks, rewards and the month's picture, all calculated from the days themselves.

Nothing here is remembered between days: a day that is made up later joins the days
before and after it by itself, and no month's end or time zone can break a streak.

``days`` maps each day that a member has to the points it paid; a day that was made up has paid 0.
``table`` is what day 1, 2, … of a cycle pays.
"""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

ONE_DAY = timedelta(days=1)
Days = Mapping[date, int]
DayState = Literal["done", "made_up", "today", "missed", "past", "future", "bonus"]
StepState = Literal["done", "made_up", "today", "future"]


def streak(days: Collection[date], today: date) -> int:
    """How many days in a row there are up to today, or up to yesterday while today is still open."""
    known = days if isinstance(days, set | frozenset | Mapping) else set(days)
    day = today if today in known else today - ONE_DAY
    count = 0
    while day in known:
        count, day = count + 1, day - ONE_DAY
    return count


def made_up_in(days: Days, last: date, length: int) -> int:
    """How many of the ``length`` days up to ``last`` were made up."""
    return sum(days.get(last - n * ONE_DAY) == 0 for n in range(length))


# --- what a day pays --------------------------------------------------------------------


def place_in_cycle(streak_day: int, table: Sequence[int]) -> int:
    """The Nth day of a streak is this day of its cycle, from 1: with cycles of 7, day 8 is day 1 again."""
    return (streak_day - 1) % len(table) + 1


def reward(streak_day: int, table: Sequence[int]) -> int:
    """Points for the Nth day of a streak."""
    return table[(streak_day - 1) % len(table)]


def base(table: Sequence[int]) -> int:
    """What every day pays at least; what a day pays beyond that is its bonus."""
    return min(table)


def is_bonus(streak_day: int, table: Sequence[int]) -> bool:
    """Whether the day stands out: it pays more than the day before, and no less than the day after."""
    before, here, after = (reward(streak_day + step, table) for step in (-1, 0, 1))
    return before < here >= after


def next_bonus(streak_day: int, table: Sequence[int]) -> int | None:
    """The first day of the streak, from this one on, that is a bonus day; ``None`` where all days pay the same."""
    return next((day for day in range(streak_day, streak_day + len(table)) if is_bonus(day, table)), None)


# --- today ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CycleDay:
    """One day of the present cycle, as the strip of days shows it."""

    day: date
    points: int
    state: StepState
    bonus: bool


@dataclass(frozen=True, slots=True)
class Today:
    """Where a member stands today.

    ``streak`` counts today only once it is done. ``reward`` is what today pays or has paid, and ``bonus``
    whether it is a bonus day. The next one is in ``bonus_in`` days (0: today, and still open) and pays
    ``bonus_points``; ``None`` where the table has no bonus.
    """

    day: date
    done: bool
    streak: int
    reward: int
    bonus: bool
    cycle: list[CycleDay]
    bonus_in: int | None
    bonus_points: int


def today_of(days: Days, today: date, table: Sequence[int]) -> Today:
    done = today in days
    run = streak(days, today)
    current = run if done else run + 1
    first = 1 - place_in_cycle(current, table)
    coming = next_bonus(current + done, table)
    return Today(
        day=today,
        done=done,
        streak=run,
        reward=days[today] if done else reward(current, table),
        bonus=is_bonus(current, table),
        cycle=[_cycle_day(days, today, current, first + n, table) for n in range(len(table))],
        bonus_in=coming - current if coming else None,
        bonus_points=reward(coming, table) if coming else 0,
    )


def _cycle_day(days: Days, today: date, current: int, offset: int, table: Sequence[int]) -> CycleDay:
    """The day ``offset`` days from today, where today is day ``current`` of the streak."""
    day, expected, bonus = today + offset * ONE_DAY, reward(current + offset, table), is_bonus(current + offset, table)
    if day in days:
        return CycleDay(day, days[day], "done" if days[day] else "made_up", bonus)
    return CycleDay(day, expected, "today" if day == today else "future", bonus)


# --- the month --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """``points`` is what the day paid, or would pay if the streak goes on; 0 for a day that is gone."""

    day: date
    state: DayState
    points: int


def month_of(
    first_day: date, days: Days, *, today: date, since: date, table: Sequence[int]
) -> list[list[CalendarDay | None]]:
    """The weeks of a month, Monday first; ``None`` for cells of its neighbours.

    Days before ``since``, when the member joined, were not missed; they are just past.
    """
    run = streak(days, today)
    reached = run if today in days else run + 1

    def cell(day: date) -> CalendarDay | None:
        if day.month != first_day.month:
            return None
        if day in days:
            return CalendarDay(day, "done" if days[day] else "made_up", days[day])
        if day < today:
            return CalendarDay(day, "missed" if day >= since else "past", 0)
        streak_day = reached + (day - today).days
        expected = reward(streak_day, table)
        if day == today:
            return CalendarDay(day, "today", expected)
        return CalendarDay(day, "bonus" if is_bonus(streak_day, table) else "future", expected)

    return [[cell(day) for day in week] for week in Calendar().monthdatescalendar(first_day.year, first_day.month)]
