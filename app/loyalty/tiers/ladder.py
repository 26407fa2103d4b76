"""The default ladder, and the rows that change where members stand on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from app.config import LOCALES
from app.foundation.database import LockOrder, any_of, db, insert_new, lock, table_of
from app.foundation.money import minor_units, programme_currency
from app.loyalty.tiers import events, queries
from app.loyalty.tiers.models import Membership, Tier, TierChange
from app.loyalty.tiers.rules import Figures, Keep, Requirement

WINDOW_MONTHS = 12


def default_ladder(currency: str) -> list[dict[str, Any]]:
    """The ladder a programme begins with: Silver for 500 spent or earned, Gold 5,000, Diamond 20,000 within a year.

    Silver is kept by 300 points in the last 3 full months with one month of 200 spent; Gold and Diamond by half
    of what reaching them asks, over 6 and 12 full months, with one month of 1,000 and 2,000: the higher the
    tier, the longer the breath. Money is written in major units here and kept in minor ones, as many as
    ``currency`` has.
    """
    major = minor_units(currency)
    return [
        _default("regular", ("Regular", "普通会员", "普通會員"), {}, {}),
        _default("silver", ("Silver", "银卡", "銀卡"), _reach(500, major), _keep(3, 200, 300, major)),
        _default("gold", ("Gold", "金卡", "金卡"), _reach(5_000, major), _keep(6, 1_000, 2_500, major)),
        _default("diamond", ("Diamond", "钻石", "鑽石"), _reach(20_000, major), _keep(12, 2_000, 10_000, major)),
    ]


def _default(
    code: str, names: tuple[str, str, str], conditions: dict[str, Any], keep: dict[str, Any]
) -> dict[str, Any]:
    return {"code": code, "name": dict(zip(LOCALES, names, strict=True)), "conditions": conditions, "keep": keep}


def _reach(asked: int, major: int) -> dict[str, Any]:
    conditions = [{"metric": "spend", "at_least": asked * major}, {"metric": "points_earned", "at_least": asked}]
    return {"match": "any", "window_months": WINDOW_MONTHS, "conditions": conditions}


def _keep(months: int, spend: int, points: int, major: int) -> dict[str, Any]:
    conditions = [
        {"metric": "spend", "at_least": spend * major, "months": 1},
        {"metric": "points_earned", "at_least": points},
    ]
    return {"match": "all", "window_months": months, "conditions": conditions}


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
    if moves:
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
        changes = table_of(TierChange)
        # Answering the ids lets PostgreSQL take a thousand rows at a time.
        db.session().connection().execute(sa.insert(changes).returning(changes.c.id), rows)


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
