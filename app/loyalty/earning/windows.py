"""When a campaign runs next. Pure; times of day are those of the programme's timezone, without one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.loyalty.earning.rules import Campaign

AHEAD = 400  # Days: a year, and whatever is left of a leap year's.
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Run:
    """From ``starts`` until ``ends``, the first moment that no longer belongs to it; ``None``: without an end in sight.

    What runs already is told from when it was asked for.
    """

    starts: datetime
    ends: datetime | None


def run_of(campaign: Campaign, local: datetime) -> Run | None:
    """The present run, or the next one within the coming year; ``None`` where there is none any more."""
    starts = local if campaign.runs(local) else _next_start(campaign, local)
    return Run(starts, _end(campaign, starts)) if starts else None


def _next_start(campaign: Campaign, local: datetime) -> datetime | None:
    begin = max(campaign.starts or local, local)
    midnight = datetime.combine(begin, time.min)
    candidates = [begin, *(midnight + day * ONE_DAY for day in range(1, AHEAD))]
    return next((each for each in candidates if campaign.runs(each)), None)


def _end(campaign: Campaign, starts: datetime) -> datetime | None:
    """The next midnight at which it does not run any more, or its own end if that comes first."""
    midnight = datetime.combine(starts, time.min)
    candidates = [midnight + day * ONE_DAY for day in range(1, AHEAD)]
    stop = next((each for each in candidates if not campaign.runs(each)), None)
    return min((each for each in (stop, campaign.ends) if each), default=None)
