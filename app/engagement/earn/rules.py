"""Days that come again every year. Pure."""

from __future__ import annotations

from datetime import date

from app.foundation.clock import months_after


def next_time(first: date, *, after: date) -> date:
    """The next time that the day of ``first`` comes again, from ``after`` on; never ``first`` itself.

    29 February is 28 February in common years.
    """
    years = max(after.year - first.year, 1)
    coming = months_after(first, 12 * years)
    return coming if coming >= after else months_after(first, 12 * (years + 1))
