"""Which days of expiry are looked at today, and when mail may leave."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

LAST_CALL = 7  # Days before a last day on which it is looked at again: for points that came meanwhile.
FIRST_HOUR, QUIET_FROM = 9, 20

Look = tuple[date, str]


def looks(today: date, days_ahead: int) -> Iterator[Look]:
    """All that should have been done by today, the soonest day first: a day that is near needs only its last look."""
    for days in range(days_ahead + 1):
        yield today + timedelta(days=days), "last" if days <= LAST_CALL else "first"


def waking_hours(local: datetime) -> bool:
    """Is it daytime where the programme is at home?"""
    return FIRST_HOUR <= local.hour < QUIET_FROM
