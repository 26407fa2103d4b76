"""Milestones: whoever earns so many points in a period is given more, once per period.

What milestones themselves give does not count towards them. Looked at whenever members have earned something, in the
same transaction: their wallets are locked by then, so nobody reaches the same milestone twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import any_of, db, insert_new
from app.foundation.events import publish
from app.foundation.languages import translated
from app.foundation.points import Points
from app.foundation.terms import at
from app.loyalty.earning.events import MilestonesReached, Prize
from app.loyalty.earning.explanations import why_milestone
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


def review_milestones(member_ids: Collection[int], *, now: datetime) -> None:
    """Give members what they have reached. Call it before tiers are reviewed: points of milestones count there, too.

    Publishes ``MilestonesReached`` if anybody reached one.
    """
    edition = at(EarningTerms, now)
    if not edition.terms.achievements or not member_ids:
        return
    ledger.queue_up(member_ids)
    today = clock.local_date(now, clock.programme_zone())
    awards, prizes, members = [], [], set()
    for member_id, standing in sorted(ways(member_ids, now=now).items()):
        for way in standing:
            if way.reached or way.earned < way.milestone.earn:
                continue
            begin, _end = period_of_day(way.milestone.period, today)
            points = _take(way.milestone)
            if not _write_down(member_id, way.milestone, begin, points, now):
                continue
            members.add(member_id)
            key = f"milestone:{way.milestone.code}:{member_id}:{begin.isoformat()}"
            if points:
                awards.append(_award(member_id, way.milestone, points, key, version=edition.version, now=now))
            if way.milestone.benefit:
                prizes.append(Prize(member_id, way.milestone.benefit, key, translated(way.milestone.name)))
    if awards:
        ledger.award_many(awards, now=now)
    if members:
        publish(MilestonesReached(tuple(sorted(members)), tuple(prizes), now))


def _award(member_id: int, milestone: Milestone, points: int, key: str, *, version: int, now: datetime) -> ledger.Award:
    why = why_milestone(milestone.name, earn=milestone.earn, points=points, period=milestone.period, version=version)
    return ledger.Award(
        member_id=member_id, amount=Points(points), key=key, kind="milestone", explanation=why, occurred_at=now
    )


def _write_down(member_id: int, milestone: Milestone, begin: date, points: int, now: datetime) -> bool:
    row = {
        "member_id": member_id,
        "code": milestone.code,
        "period": begin,
        "points": points,
        "benefit": milestone.benefit,
        "at": now,
    }
    written = insert_new(
        MilestoneReached, [row], unless=["member_id", "code", "period"], returning=[MilestoneReached.id]
    )
    return bool(written)


def _take(milestone: Milestone) -> int:
    """What is left to give of the milestone's budget, at most its points; counted as given.

    One statement, because wallets are locked already and a budget's row comes before them in the order of
    locks. It is the last thing this transaction waits for, so nobody waits in a circle.
    """
    if milestone.budget is None or not milestone.points:
        return milestone.points
    code = f"milestone:{milestone.code}"
    insert_new(Budget, [{"rule": code, "used": 0}], unless=["rule"], returning=[Budget.rule])
    taken = sa.update(Budget).where(Budget.rule == code, Budget.used + milestone.points <= milestone.budget)
    done = db.session.execute(
        taken.values(used=Budget.used + milestone.points).returning(Budget.used),
        execution_options={"synchronize_session": False},
    )
    return milestone.points if done.first() else 0


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
        any_of(MilestoneReached.member_id, member_ids), MilestoneReached.period == begin
    )
    return {(row[0], row[1]) for row in db.session.execute(which)}
