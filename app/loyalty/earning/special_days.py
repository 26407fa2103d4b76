"""Which days come again on a day of the calendar. Pure.

29 February comes again on 28 February in common years.
"""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta

LEAP_DAY = (2, 29)


def days_celebrated(day: date) -> list[tuple[int, int]]:
    """The months and days that are celebrated on ``day``."""
    own = (day.month, day.day)
    return [own, LEAP_DAY] if own == (2, 28) and not isleap(day.year) else [own]


def same_days(day: date, *, since: int) -> list[date]:
    """The days of earlier years, from the year ``since`` on, whose anniversary ``day`` is."""
    return [
        date(year, month, number)
        for year in range(since, day.year)
        for month, number in days_celebrated(day)
        if (month, number) != LEAP_DAY or isleap(year)
    ]


def looked_back(today: date, days: int) -> list[date]:
    """``today`` and the days before it, the earliest first."""
    return [today - timedelta(days=ago) for ago in range(days, -1, -1)]
