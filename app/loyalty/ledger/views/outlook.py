"""What expires when, as a chart and as a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from babel import Locale
from babel.dates import format_skeleton
from babel.numbers import format_compact_decimal
from flask_babel import get_locale

from app.foundation import clock
from app.foundation.formats import remembered
from app.foundation.points import Points

CHART_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart. ``height`` is a percentage of the greatest one."""

    name: str
    text: str
    height: int


@dataclass(frozen=True, slots=True)
class Expiring:
    day: date
    points: Points


@dataclass(frozen=True, slots=True)
class Outlook:
    bars: list[Bar]
    days: list[Expiring]


def outlook(days: Sequence[tuple[date, Points]], now: datetime) -> Outlook | None:
    """What expires in the coming twelve months as a chart, and everything that expires as a list."""
    if not days:
        return None
    today = clock.local_date(now, clock.programme_zone())
    totals = {clock.first_of_month(today, n): 0 for n in range(CHART_MONTHS + 1)}
    for day, amount in days:
        if day.replace(day=1) in totals:
            totals[day.replace(day=1)] += amount.value
    if totals[today.replace(day=1)] == 0:
        totals.pop(today.replace(day=1))
    top = max(totals.values()) or 1
    bars = [
        Bar(month_name(first, "MMM"), _short(total) if total else "", max(round(100 * total / top), 2 if total else 0))
        for first, total in list(totals.items())[:CHART_MONTHS]
    ]
    return Outlook(bars, [Expiring(day, amount) for day, amount in days])


def month_name(first: date, skeleton: str = "yMMMM") -> str:
    return _written(skeleton, first, get_locale())


@remembered
def _written(skeleton: str, day: date, locale: Locale | None) -> str:
    return str(format_skeleton(skeleton, day, locale=locale))


def _short(number: int) -> str:
    return _compact(number, get_locale())


@remembered
def _compact(number: int, locale: Locale | None) -> str:
    return str(format_compact_decimal(number, locale=locale, fraction_digits=1))
