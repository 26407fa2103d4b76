"""The rows of the ladder, and those that change where members stand on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.database import LockOrder, any_of, db, insert_all, insert_new, lock, table_of
from app.foundation.languages import translated
from app.foundation.money import programme_currency
from app.loyalty.tiers import events, queries
from app.loyalty.tiers.models import Membership, Tier, TierChange
from app.loyalty.tiers.rules import Figures, Keep, Requirement
from app.loyalty.tiers.terms import Entry, LadderTerms, default_ladder, written


def install_defaults() -> None:
    """Put up the default ladder where there is none, and say how its tiers are kept where nobody has decided yet.

    May be called again at any time.
    """
    wanted = default_ladder(programme_currency())
    there = {tier.code: tier for tier in queries.ladder()}
    if not there:
        insert_new(
            Tier, [{"rank": rank, **tier} for rank, tier in enumerate(wanted)], unless=["code"], returning=[Tier.id]
        )
    for each in wanted:
        tier = there.get(each["code"])
        if tier is not None and not tier.keep and each["keep"]:
            tier.keep = each["keep"]
    db.session.flush()


def the_ladder() -> list[Tier]:
    """The ladder. A programme that has never made one starts with the default."""
    if not (tiers := queries.ladder()):
        install_defaults()
        tiers = queries.ladder()
    return tiers


# --- what an owner publishes ----------------------------------------------------------------

FAR = 1_000  # Beyond every rank: where tiers wait while their places are exchanged.


def put_up(wanted: LadderTerms) -> bool:
    """Make the rows of the ladder say what the terms say; ``False`` when they do already.

    A tier that the terms no longer name goes. One that members stand on, or that anything else still names, stays
    between the tiers that it stood between.
    """
    named = {entry["code"] for entry in wanted.tiers}
    before = _rows()
    if _beside(before, wanted, needed=why_needed) == written(before):  # Nearly always, and this is asked every minute.
        return False
    # Not against whoever moves members: their rows name tiers, and name several of them in any order.
    db.session.execute(lock(LockOrder.LADDER, sa.select(Tier.id).order_by(Tier.id), key_share=True))
    # Looked at again: a second worker that waited here sees the tiers that the first one added.
    before = _rows()
    free = _free([tier.id for tier in before if tier.code not in named])
    entries = _beside(before, wanted, needed=lambda tier: tier.id not in free or why_needed(tier))
    if entries == written(before):
        return False
    there = {tier.code: tier for tier in before}
    for code in there.keys() - {entry["code"] for entry in entries}:
        db.session.delete(there.pop(code))
    db.session.flush()
    if [entry["code"] for entry in entries] != [tier.code for tier in before]:
        for tier in there.values():  # No two may have the same rank, not even for a moment.
            tier.rank += FAR
        db.session.flush()
    for rank, entry in enumerate(entries):
        row = there.get(entry["code"])
        if row is None:
            db.session.add(Tier(rank=rank, **entry))
        else:
            row.rank, row.name, row.conditions, row.keep = rank, entry["name"], entry["conditions"], entry["keep"]
    db.session.flush()
    return True


def _rows() -> list[Tier]:
    return list(db.session.scalars(sa.select(Tier).order_by(Tier.rank).execution_options(populate_existing=True)))


def _beside(before: Sequence[Tier], wanted: LadderTerms, *, needed: Callable[[Tier], object]) -> list[Entry]:
    """What the terms say, and between it what still has to be there."""
    entries = [dict(entry) for entry in wanted.tiers]
    named = {entry["code"] for entry in entries}
    for place, tier in enumerate(before):
        if tier.code not in named and needed(tier):
            below = {each.code for each in before[:place]}
            at = 1 + max((i for i, entry in enumerate(entries) if entry["code"] in below), default=-1)
            entries.insert(at, written([tier])[0])
    return entries


def _free(tier_ids: Collection[int]) -> set[int]:
    """Those that nobody is being put on at this moment, locked so that nobody will be. Waits for nobody."""
    which = sa.select(Tier.id).where(any_of(Tier.id, tier_ids)).order_by(Tier.id)
    return set(db.session.scalars(lock(LockOrder.LADDER, which, skip_locked=True))) if tier_ids else set()


def why_needed(tier: Tier) -> str | None:
    """The sentence that says why a tier cannot be removed; ``None`` when it can."""
    members = db.session.scalar(sa.select(sa.func.count()).where(Membership.tier_id == tier.id)) or 0
    name = translated(tier.name)
    if members:
        return ngettext(
            "%(num)s member stands on “%(tier)s”, so it cannot be removed.",
            "%(num)s members stand on “%(tier)s”, so it cannot be removed.",
            members,
            tier=name,
        )
    if any(db.session.scalar(sa.select(sa.exists().where(column == tier.id))) for column in _naming()):
        return _(
            "“%(tier)s” cannot be removed, because a member’s history or a product names it. Without conditions"
            " it is given by hand only.",
            tier=name,
        )
    return None


def _naming() -> list[sa.Column[Any]]:
    """Every column of every domain that names a tier."""
    tables = db.metadata.tables.values()
    return [key.parent for table in tables for key in table.foreign_keys if key.column is table_of(Tier).c.id]


# --- standing on it -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Move:
    """One member from one tier to another, and why. ``month`` is that of the review which did it."""

    member_id: int
    from_tier_id: int | None
    to_tier_id: int
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)
    month: date | None = None


def lock_standing(member_ids: Collection[int]) -> dict[int, Membership]:
    """Where members stand, locked so that whatever moves one member happens one after the other."""
    statement = sa.select(Membership).where(any_of(Membership.member_id, member_ids)).order_by(Membership.member_id)
    locked = db.session.scalars(lock(LockOrder.MEMBERSHIP, statement))
    return {membership.member_id: membership for membership in locked}


def move(moves: Sequence[Move], *, now: datetime, **more: Any) -> None:
    """Put members on their new tier and write it into their history. ``more`` is set in their memberships, too."""
    by_tier: defaultdict[int, list[int]] = defaultdict(list)
    for each in moves:
        by_tier[each.to_tier_id].append(each.member_id)
    for tier_id, member_ids in by_tier.items():
        put = sa.update(Membership).where(any_of(Membership.member_id, member_ids))
        db.session.execute(
            put.values(tier_id=tier_id, since=now, **more), execution_options={"synchronize_session": False}
        )
    remember(moves, now=now)


def remember(moves: Sequence[Move], *, now: datetime) -> None:
    """Write moves into the history alone."""
    rows = [
        {
            "member_id": each.member_id,
            "from_tier_id": each.from_tier_id,
            "to_tier_id": each.to_tier_id,
            "reason": each.reason,
            "evidence": each.evidence,
            "at": now,
            "month": each.month,
        }
        for each in moves
    ]
    insert_all(TierChange, rows)


def told(moves: Sequence[Move]) -> tuple[events.Move, ...]:
    """The moves as the floors above are told of them. Who is new on the ladder has not moved."""
    return tuple(
        events.Move(each.member_id, each.from_tier_id, each.to_tier_id)
        for each in moves
        if each.from_tier_id is not None
    )


# --- evidence: the figures that led to a move, kept as they were, whatever the rules become -----------


def reach_evidence(asked: Requirement, mine: Figures) -> dict[str, Any]:
    conditions = [
        {"metric": each.metric, "at_least": each.at_least, "reached": mine[each.metric]} for each in asked.conditions
    ]
    return {"match": asked.match, "window_months": asked.window_months, "conditions": conditions}


def keep_evidence(keep: Keep, by_month: Sequence[Mapping[str, int]], *, month: date) -> dict[str, Any]:
    conditions = [
        {
            "metric": each.metric,
            "at_least": each.at_least,
            "months": each.months,
            "reached": each.reached(by_month),
            "by_month": [figures[each.metric] for figures in by_month],
        }
        for each in keep.conditions
    ]
    return {
        "month": month.isoformat(),
        "match": keep.match,
        "window_months": keep.window_months,
        "conditions": conditions,
    }
