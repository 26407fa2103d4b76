"""Points for special days: birthdays, and the day on which somebody joined.

Looked at every hour and some days back: for those who join or tell their birth date on the day itself, and for days on
which the worker was away. Whoever has had theirs is passed over, so it may run twice, and begins where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import any_of, db, transaction
from app.foundation.jobs import periodic
from app.foundation.terms import at
from app.identity.members import queries as members
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.rewards import Deed, reward_many
from app.loyalty.earning.special_days import days_celebrated, looked_back, same_days
from app.loyalty.earning.terms import EarningTerms

DAYS_BACK = 7
APART = timedelta(days=300)  # Who changes their birth date does not have two birthdays in a year, New Year or not.
BATCH = 1_000
ONE_MOMENT = timedelta(microseconds=1)


@periodic("reward-special-days", minute="25")
def reward_special_days(*, now: datetime) -> int:
    """Give members what the rules gave on their day. Returns how many were rewarded."""
    zone = clock.programme_zone()
    given = 0
    for day in looked_back(clock.local_date(now, zone), DAYS_BACK):
        # What counts is the version of the rules on that day, so that a new reward is not for days before it.
        last_moment = min(now, clock.end_of(day, zone) - ONE_MOMENT)
        rules = at(EarningTerms, last_moment).terms.by_kind
        for kind, batches in (("birthday", _birthdays(day)), ("anniversary", _anniversaries(day))):
            if kind in rules and rules[kind].points:
                given += sum(_reward(kind, day, batch, by_rules_of=last_moment, now=now) for batch in batches)
    return given


def _reward(kind: str, day: date, batch: Sequence[int], *, by_rules_of: datetime, now: datetime) -> int:
    """In a transaction of its own; the year is what is rewarded once."""
    left = _without_those_who_had_it(kind, str(day.year), batch, now=now)
    if not left:
        return 0
    with transaction():
        deeds = [Deed(member_id=member_id, kind=kind, subject=str(day.year)) for member_id in left]
        return sum(granted.fresh for granted in reward_many(deeds, by_rules_of=by_rules_of, now=now))


def _without_those_who_had_it(kind: str, subject: str, batch: Sequence[int], *, now: datetime) -> list[int]:
    which = sa.select(Rewarded.member_id).where(
        any_of(Rewarded.member_id, batch),
        Rewarded.kind == kind,
        sa.or_(Rewarded.subject == subject, Rewarded.at > now - APART),
    )
    had = set(db.session.scalars(which))
    return [member_id for member_id in batch if member_id not in had]


# --- whose day it is ------------------------------------------------------------------------

Read = Callable[..., Sequence[int]]


def _birthdays(day: date) -> Iterator[Sequence[int]]:
    """Batches of members who had joined by the end of their day."""
    end = clock.end_of(day, clock.programme_zone())
    for month, number in days_celebrated(day):
        yield from _batches(partial(members.born_on, month * 100 + number, claimed_before=end))


def _anniversaries(day: date) -> Iterator[Sequence[int]]:
    """Batches of members who joined on this day of an earlier year."""
    zone, first = clock.programme_zone(), members.first_joined()
    if first is None:
        return
    for joined in same_days(day, since=clock.local_date(first, zone).year):
        since, until = clock.start_of(joined, zone), clock.end_of(joined, zone)
        yield from _batches(partial(members.joined_within, since, until))


def _batches(read: Read) -> Iterator[Sequence[int]]:
    after = 0
    while batch := read(after=after, limit=BATCH):
        yield batch
        after = batch[-1]
