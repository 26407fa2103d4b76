"""The monthly review: whoever did not keep their tier over its last full months goes one step down.

It goes through all members by id, some thousands per transaction. A review remembers how far it
came in the transaction that did it, so that a crash repeats nothing and loses nothing; and whatever the
number of members, a batch is a handful of statements.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import LockOrder, any_of, db, insert_new, lock
from app.foundation.events import publish
from app.loyalty.tiers import queries
from app.loyalty.tiers.events import TiersLowered
from app.loyalty.tiers.figures import monthly
from app.loyalty.tiers.ladder import Move, keep_evidence, move, told
from app.loyalty.tiers.models import Membership, TierGrant, TierReview
from app.loyalty.tiers.returns import undone
from app.loyalty.tiers.rules import Step, full_months

BATCH = 2_000


def begin_review(month: date, *, now: datetime) -> bool:
    """Write down that the review of this month is under way; False when it is finished already."""
    row = {"month": month, "started_at": now, "last_member_id": 0, "reviewed": 0, "lowered": 0}
    insert_new(TierReview, [row], unless=["month"], returning=[TierReview.month])
    open_review = sa.select(TierReview.month).where(TierReview.month == month, TierReview.finished_at.is_(None))
    return db.session.scalar(open_review) is not None


def review_some(month: date, *, now: datetime, limit: int = BATCH) -> bool:
    """Review the next ``limit`` members, in the caller's transaction. False when nobody is left.

    A tier is looked at once a full window of its months has passed since the member came to it;
    what a return undid, at the first review after it. Publishes ``TiersLowered`` if anybody fell.
    """
    # Updating the row locks it: a second worker waits here, and goes on where this one got to.
    under_way = sa.and_(TierReview.month == month, TierReview.finished_at.is_(None))
    take = sa.update(TierReview).where(under_way).values(started_at=TierReview.started_at)
    done_to = db.session.execute(take.returning(TierReview.last_member_id)).scalar_one_or_none()
    ladder = queries.steps(queries.ladder())
    if done_to is None or not ladder:
        return False
    due = _lock_due(ladder, month=month, after=done_to, limit=limit)
    falls = _falls(due, ladder, month=month, now=now)
    begin = clock.start_of(month, clock.programme_zone())
    # Whoever is lowered climbs anew; whoever only gave something back has lost nothing else.
    move([each for each in falls if each.reason == "review"], now=now, counts_from=begin, recheck=False)
    move([each for each in falls if each.reason == "return"], now=now)
    _clear_flags(due.keys() - {each.member_id for each in falls}, due)
    left = len(due) == limit
    reached = TierReview.last_member_id if not due else max(due)
    progress = {"reviewed": TierReview.reviewed + len(due), "lowered": TierReview.lowered + len(falls)}
    finished = {} if left else {"finished_at": now}
    db.session.execute(sa.update(TierReview).where(under_way).values(last_member_id=reached, **progress, **finished))
    if falls:
        publish(TiersLowered(told(falls), now))
    return left


def _lock_due(ladder: Sequence[Step], *, month: date, after: int, limit: int) -> dict[int, Membership]:
    """The next members whose tier may be looked at in this month, locked, by id."""
    zone = clock.programme_zone()
    asked = [sa.and_(Membership.recheck, Membership.tier_id != ladder[0].tier_id)]
    for step in ladder[1:]:
        if step.keep.conditions:
            first = clock.start_of(full_months(month, step.keep.window_months)[0], zone)
            asked.append(sa.and_(Membership.tier_id == step.tier_id, Membership.since < first))
    given = sa.exists().where(
        TierGrant.member_id == Membership.member_id,
        TierGrant.tier_id == Membership.tier_id,
        TierGrant.ended_at.is_(None),
    )
    statement = sa.select(Membership).where(Membership.member_id > after, sa.or_(*asked), ~given)
    ordered = statement.order_by(Membership.member_id).limit(limit)
    return {place.member_id: place for place in db.session.scalars(lock(LockOrder.MEMBERSHIP, ordered))}


def _falls(due: Mapping[int, Membership], ladder: Sequence[Step], *, month: date, now: datetime) -> list[Move]:
    """One step down, each with the figures that did not suffice."""
    below = {step.tier_id: lower.tier_id for lower, step in pairwise(ladder)}
    zone = clock.programme_zone()
    falls: list[Move] = []
    for step in ladder[1:]:
        first = clock.start_of(full_months(month, step.keep.window_months)[0], zone)
        mine = [member for member, place in due.items() if place.tier_id == step.tier_id and place.since < first]
        if not mine or not step.keep.conditions:
            continue
        found = monthly(mine, month=month, window_months=step.keep.window_months, metrics=step.keep.metrics)
        for member, by_month in found.items():
            if not step.keep.kept(by_month):
                evidence = keep_evidence(step.keep, by_month, month=month)
                falls.append(Move(member, step.tier_id, below[step.tier_id], "review", evidence, month))
    lowered = {each.member_id for each in falls}
    doubtful = {member: place for member, place in due.items() if place.recheck and member not in lowered}
    undoing = undone(doubtful, ladder, month=month, now=now)
    return falls + [replace(each, to_tier_id=below[each.from_tier_id or 0], month=month) for each in undoing]


def _clear_flags(member_ids: set[int], due: Mapping[int, Membership]) -> None:
    """Those who stay in spite of what came back need not be asked again."""
    flagged = [member_id for member_id in member_ids if due[member_id].recheck]
    if flagged:
        clear = sa.update(Membership).where(any_of(Membership.member_id, flagged)).values(recheck=False)
        db.session.execute(clear, execution_options={"synchronize_session": False})
