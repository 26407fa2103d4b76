"""Streaks, rewards and the month's picture, all calculated from the days themselves.

Nothing here is remembered between days: a day that is made up later joins the days
before and after it by itself, and no month's end or time zone can break a streak.
"""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from app.engagement.checkin.terms import CheckinTerms

ONE_DAY = timedelta(days=1)
DayState = Literal["done", "today", "missed", "past", "future", "bonus"]


def streak(days: Collection[date], today: date) -> int:
    """How many days in a row there are up to today, or up to yesterday while today is still open."""
    known = days if isinstance(days, set | frozenset | Mapping) else set(days)
    day = today if today in known else today - ONE_DAY
    count = 0
    while day in known:
        count, day = count + 1, day - ONE_DAY
    return count


def place_in_cycle(streak_day: int, terms: CheckinTerms) -> int:
    """The Nth day of a streak is this day of its cycle, from 1: with cycles of 7, day 8 is day 1 again."""
    return (streak_day - 1) % terms.cycle_days + 1


def is_bonus(streak_day: int, terms: CheckinTerms) -> bool:
    return terms.last_day_multiplier > 1 and place_in_cycle(streak_day, terms) == terms.cycle_days


def reward(streak_day: int, terms: CheckinTerms) -> int:
    """Points for the Nth day of a streak."""
    return terms.points * (terms.last_day_multiplier if is_bonus(streak_day, terms) else 1)


@dataclass(frozen=True, slots=True)
class CycleDay:
    """One day of the present cycle, as the strip of days shows it."""

    day: date
    points: int
    state: Literal["done", "today", "future"]
    bonus: bool


@dataclass(frozen=True, slots=True)
class Today:
    """Where a member stands today.

    ``streak`` counts today only once it is done. ``reward`` is what today pays or has paid, ``bonus`` whether it is
    the well paid last day of a cycle;
    ``bonus_in`` is in how many days the next bonus falls due (0: today, and still open),
    ``None`` where the terms have no bonus.
    """

    day: date
    done: bool
    streak: int
    reward: int
    bonus: bool
    cycle: list[CycleDay]
    bonus_in: int | None
    bonus_points: int


def today_of(days: Mapping[date, int], today: date, terms: CheckinTerms) -> Today:
    """``days`` maps each day that is checked in to the points it paid."""
    done = today in days
    run = streak(days, today)
    current = run if done else run + 1
    place = place_in_cycle(current, terms)
    cycle = [
        _cycle_day(days, today, current, offset, terms) for offset in range(1 - place, terms.cycle_days - place + 1)
    ]
    bonus_in = terms.cycle_days - place
    if done and bonus_in == 0:
        bonus_in = terms.cycle_days
    return Today(
        day=today,
        done=done,
        streak=run,
        reward=days[today] if done else reward(current, terms),
        bonus=is_bonus(current, terms),
        cycle=cycle,
        bonus_in=bonus_in if terms.last_day_multiplier > 1 else None,
        bonus_points=terms.points * terms.last_day_multiplier,
    )


def _cycle_day(days: Mapping[date, int], today: date, current: int, offset: int, terms: CheckinTerms) -> CycleDay:
    """The day ``offset`` days from today, where today is day ``current`` of the streak."""
    day = today + timedelta(days=offset)
    state: Literal["done", "today", "future"] = "done" if day in days else "today" if offset == 0 else "future"
    expected = reward(current + offset, terms)
    return CycleDay(day, days.get(day, expected), state, is_bonus(current + offset, terms))


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """``points`` is what the day paid, or would pay if the streak goes on; 0 for a day that is gone."""

    day: date
    state: DayState
    points: int


def month_of(
    first_day: date, days: Mapping[date, int], *, today: date, since: date, terms: CheckinTerms
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
            return CalendarDay(day, "done", days[day])
        if day < today:
            return CalendarDay(day, "missed" if day >= since else "past", 0)
        streak_day = reached + (day - today).days
        expected = reward(streak_day, terms)
        if day == today:
            return CalendarDay(day, "today", expected)
        return CalendarDay(day, "bonus" if is_bonus(streak_day, terms) else "future", expected)

    return [[cell(day) for day in week] for week in Calendar().monthdatescalendar(first_day.year, first_day.month)]
