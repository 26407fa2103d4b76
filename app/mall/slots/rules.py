"""When a service is given, as people write it down: local days and times, and the moments that they are. Pure.

A local time may not exist (clocks go forward) or come twice (clocks go back): of two the first is meant.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LONGEST_MINUTES = 24 * 60
MOST_PLACES = 1_000
FURTHEST = timedelta(days=731)
MOST_AT_ONCE = 500  # Times that one series may make.
LONGEST_SERIES = 366  # Days from its first to its last.
MOST_TIMES = 48  # Times of day of a series.
LONGEST_PLACE = 120
_TIME = re.compile(r"([01]?[0-9]|2[0-3])[:：.]([0-5][0-9])")
_BETWEEN = re.compile(r"[\s,;，；、]+")


@dataclass(frozen=True, slots=True)
class Spell:
    """From one moment to another; the end is no part of it."""

    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Spell) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A day and a time on the wall. ``spell`` is ``None`` where the clock leaves this time out; ``twice`` if it comes
    twice."""

    day: date
    at: time
    spell: Spell | None
    twice: bool = False

    @property
    def name(self) -> str:
        """As a form says it: ``2026-06-15T10:00``."""
        return f"{self.day.isoformat()}T{self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Series:
    """The same times on the same weekdays (Monday is 0), from the first to the last day."""

    weekdays: Collection[int]
    first: date
    last: date
    times: Sequence[time]


def local_time(day: date, at: time, minutes: int, zone: ZoneInfo) -> LocalTime:
    """What a clock on the wall of this zone says, as moments. The length counts real minutes, whatever clocks do."""
    wall = datetime.combine(day, at, tzinfo=zone)
    begins = wall.astimezone(UTC)
    if begins.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        return LocalTime(day, at, None)
    twice = wall.utcoffset() != wall.replace(fold=1).utcoffset()
    return LocalTime(day, at, Spell(begins, begins + timedelta(minutes=minutes)), twice)


def times_of(series: Series, minutes: int, zone: ZoneInfo) -> Iterator[LocalTime]:
    """Every time of a series, in order."""
    for number in range((series.last - series.first).days + 1):
        day = series.first + timedelta(days=number)
        if day.weekday() in series.weekdays:
            for at in series.times:
                yield local_time(day, at, minutes, zone)


def clashes(spells: Sequence[Spell], taken: Sequence[Spell]) -> set[int]:
    """Which of the spells, by their place, lie over one that is taken or over an earlier one of their own."""
    found: set[int] = set()
    kept = list(taken)
    for place, spell in enumerate(spells):
        if any(spell.overlaps(other) for other in kept):
            found.add(place)
        else:
            kept.append(spell)
    return found


def times_in(text: str) -> list[time] | None:
    """``10:00, 14:30`` as times of day, in order and each once; ``None`` where one of them is none."""
    parts = [part for part in _BETWEEN.split(text) if part]
    found = [_TIME.fullmatch(part) for part in parts]
    if not found or None in found:
        return None
    return sorted({time(int(match[1]), int(match[2])) for match in found if match})


def monday_of(day: date) -> date:
    """The first day of the week in which a day lies."""
    return day - timedelta(days=day.weekday())
