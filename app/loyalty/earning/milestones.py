"""Milestones: whoever earns so many points in a period is given more, once per period.

What milestones themselves give does not count towards them. Looked at whenever members have earned something, in the
same transaction: their wallets are locked by then, so nobody reaches the same milestone twice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import any_of, db, insert_new
from app.foundation.events import publish
from app.foundation.languages import translated
from app.foundation.points import Points
from app.foundation.terms import at, editions
from app.loyalty.earning.events import MilestonesLost, MilestonesReached, Prize
from app.loyalty.earning.explanations import why_milestone, why_milestone_lost
from app.loyalty.earning.models import Budget, MilestoneReached
from app.loyalty.earning.rules import Milestone, period_of_day
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.queries import earned


@dataclass(frozen=True, slots=True)
class Way:
    """How far a member has come: ``earned`` points of those that the milestone asks for."""

    milestone: Milestone
    earned: int
    reached: bool
    until: date


def ways(member_ids: Collection[int], *, now: datetime) -> dict[int, list[Way]]:
    """Where members stand with every milestone there is, in its present period; a few queries for all together."""
    edition = at(EarningTerms, now)
    found: dict[int, list[Way]] = {member_id: [] for member_id in member_ids}
    by_period: dict[str, tuple[dict[int, int], set[tuple[int, str]]]] = {}
    for milestone in edition.terms.achievements:
        begin, end = period_of_day(milestone.period, clock.local_date(now, clock.programme_zone()))
        if milestone.period not in by_period:
            by_period[milestone.period] = (_earned(member_ids, begin, end), _reached(member_ids, begin))
        sums, reached = by_period[milestone.period]
        for member_id in member_ids:
            done = (member_id, milestone.code) in reached
            found[member_id].append(Way(milestone, sums.get(member_id, 0), done, end))
    return found


def review_milestones(member_ids: Collection[int], *, now: datetime, moments: Collection[datetime] = ()) -> None:
    """Give members what they have reached. Call it before tiers are reviewed: points of milestones count there, too.

    ``moments`` are those for which something was earned: what is reported late counts in its own period. Publishes
    ``MilestonesReached`` if anybody reached one.
    """
    if not member_ids or not any(edition.terms.achievements for edition in editions(EarningTerms)):
        return
    ledger.queue_up(member_ids)
    reached = {each.fact: each for day in _days(moments, now) for each in _reached_on(day, member_ids, now=now)}
    awards, prizes = [], []
    # By code: whoever takes from several budgets takes from them in the same order as everybody else.
    for _fact, each in sorted(reached.items()):
        points = _take(each.milestone)
        times = _write_down(each, points, now)
        if times is None:
            continue
        key = _key(each.milestone.code, each.member_id, each.begin, times)
        if points:
            awards.append(_award(each, points, key, now=now))
        prizes.append(Prize(each.member_id, each.milestone.benefit, key, translated(each.milestone.name)))
    if awards:
        ledger.award_many(awards, now=now)
    if prizes:
        members = tuple(sorted({prize.member_id for prize in prizes}))
        publish(MilestonesReached(members, tuple(prize for prize in prizes if prize.benefit), now))


def take_back_milestones(member_ids: Collection[int], *, now: datetime) -> None:
    """Something that members had bought came back: who has no longer earned what a milestone asks for gives its points
    back, and may reach it anew. Publishes ``MilestonesLost`` if anybody lost one.
    """
    had = sa.select(MilestoneReached).where(
        any_of(MilestoneReached.member_id, member_ids), MilestoneReached.lost_at.is_(None)
    )
    if db.session.scalar(had.limit(1)) is None:
        return
    ledger.queue_up(member_ids)
    lost = []
    for row in db.session.scalars(had.order_by(MilestoneReached.id).execution_options(populate_existing=True)):
        milestone = _defined(row)
        if milestone is None:
            continue
        begin, end = period_of_day(milestone.period, row.period)
        if _earned([row.member_id], begin, end).get(row.member_id, 0) >= milestone.earn:
            continue
        key = _key(row.code, row.member_id, row.period, row.times)
        if row.points:
            why = why_milestone_lost(milestone.name, earn=milestone.earn)
            ledger.claw_back(award_key=key, amount=Points(row.points), key=f"{key}:lost", explanation=why, now=now)
        row.lost_at, row.points = now, 0
        lost.append(key)
    db.session.flush()
    if lost:
        publish(MilestonesLost(tuple(lost), now))


@dataclass(frozen=True, slots=True)
class _Reached:
    member_id: int
    milestone: Milestone
    begin: date
    version: int

    @property
    def fact(self) -> tuple[str, int, date]:
        return self.milestone.code, self.member_id, self.begin


def _days(moments: Collection[datetime], now: datetime) -> list[date]:
    zone = clock.programme_zone()
    return sorted({clock.local_date(moment, zone) for moment in (*moments, now)})


def _reached_on(day: date, member_ids: Collection[int], *, now: datetime) -> Iterator[_Reached]:
    """What members have reached in the periods of this day, by the rules in force on it."""
    last_moment = min(now, clock.end_of(day, clock.programme_zone()) - timedelta(microseconds=1))
    version = at(EarningTerms, last_moment).version
    for member_id, standing in ways(member_ids, now=last_moment).items():
        for way in standing:
            if not way.reached and way.earned >= way.milestone.earn:
                begin, _end = period_of_day(way.milestone.period, day)
                yield _Reached(member_id, way.milestone, begin, version)


def _key(code: str, member_id: int, begin: date, times: int) -> str:
    key = f"milestone:{code}:{member_id}:{begin.isoformat()}"
    return key if times == 1 else f"{key}:{times}"


def _defined(row: MilestoneReached) -> Milestone | None:
    """The milestone as it was when it was reached."""
    there = at(EarningTerms, row.at).terms.achievements
    return next((each for each in there if each.code == row.code), None)


def _award(each: _Reached, points: int, key: str, *, now: datetime) -> ledger.Award:
    milestone = each.milestone
    why = why_milestone(
        milestone.name, earn=milestone.earn, points=points, period=milestone.period, version=each.version
    )
    return ledger.Award(
        member_id=each.member_id, amount=Points(points), key=key, kind="milestone", explanation=why, occurred_at=now
    )


def _write_down(each: _Reached, points: int, now: datetime) -> int | None:
    """How often it has been reached now; ``None`` where it stands already. The member's wallets are locked."""
    which = sa.select(MilestoneReached).where(
        MilestoneReached.member_id == each.member_id,
        MilestoneReached.code == each.milestone.code,
        MilestoneReached.period == each.begin,
    )
    row = db.session.scalars(which.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        row = MilestoneReached(member_id=each.member_id, code=each.milestone.code, period=each.begin, times=0)
        db.session.add(row)
    elif row.lost_at is None:
        return None
    row.points, row.benefit, row.at, row.lost_at = points, each.milestone.benefit, now, None
    row.times += 1
    db.session.flush()
    return row.times


def _take(milestone: Milestone) -> int:
    """What the milestone's budget has left to give, at most its points; counted as given.

    Locked after wallets, against the order of other budgets, because only then is it known who has reached
    what. Nobody waits in a circle: whoever holds such a row has all their wallets already, and takes budgets by code.
    """
    if milestone.budget is None or not milestone.points:
        return milestone.points
    code = f"milestone:{milestone.code}"
    insert_new(Budget, [{"rule": code, "used": 0}], unless=["rule"], returning=[Budget.rule])
    row = db.session.scalars(
        sa.select(Budget).where(Budget.rule == code).with_for_update().execution_options(populate_existing=True)
    ).one()
    points = min(milestone.points, max(milestone.budget - row.used, 0))
    row.used += points
    db.session.flush()
    return points


def _earned(member_ids: Collection[int], begin: date, end: date) -> dict[int, int]:
    """Points earned in the period, without what milestones gave in it."""
    zone = clock.programme_zone()
    since, until = clock.start_of(begin, zone), clock.start_of(end, zone)
    sums = {member: periods.get(0, 0) for member, periods in earned(member_ids, edges=[since, until]).items()}
    own = (
        sa.select(MilestoneReached.member_id, sa.func.sum(MilestoneReached.points))
        .where(
            any_of(MilestoneReached.member_id, member_ids), MilestoneReached.at >= since, MilestoneReached.at < until
        )
        .group_by(MilestoneReached.member_id)
    )
    for member_id, points in db.session.execute(own):
        sums[member_id] = sums.get(member_id, 0) - int(points)
    return sums


def _reached(member_ids: Collection[int], begin: date) -> set[tuple[int, str]]:
    which = sa.select(MilestoneReached.member_id, MilestoneReached.code).where(
        any_of(MilestoneReached.member_id, member_ids),
        MilestoneReached.period == begin,
        MilestoneReached.lost_at.is_(None),
    )
    return {(row[0], row[1]) for row in db.session.execute(which)}
