"""The clock is read at the door; inside, ``now`` is an argument.

``now()`` is what views, commands and jobs call. Tests set it with ``clock.freeze``.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask import current_app

_frozen: datetime | None = None


def now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return _frozen or datetime.now(UTC)


@contextmanager
def freeze(moment: datetime) -> Iterator[None]:
    """Let ``now()`` answer ``moment`` for a while; for tests and for telling the demo's history."""
    global _frozen  # noqa: PLW0603 - one process has one clock
    if moment.tzinfo is None:
        raise ValueError("A moment needs a timezone.")
    before, _frozen = _frozen, moment
    try:
        yield
    finally:
        _frozen = before


def programme_zone() -> ZoneInfo:
    """The timezone in which the programme's days begin."""
    return ZoneInfo(current_app.config["SETTINGS"].timezone)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


@lru_cache(maxsize=4096)
def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC; right on the days when clocks change."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment that no longer belongs to a local day, in UTC."""
    return start_of(day + timedelta(days=1), zone)


def first_of_month(day: date, months: int) -> date:
    """The first day of the month so many months after (or before) that of ``day``."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def months_after(day: date, months: int) -> date:
    """The same day so many months later (or earlier), or the last day of that month: 31 January + 1 is 28 February."""
    first = first_of_month(day, months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
