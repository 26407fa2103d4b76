"""Move members up the ladder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.config import LOCALES
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.events import publish
from app.foundation.money import minor_units, programme_currency
from app.loyalty.tiers import queries
from app.loyalty.tiers.events import Raise, TiersRaised
from app.loyalty.tiers.figures import ByMember, figures
from app.loyalty.tiers.models import Membership, Tier, TierChange
from app.loyalty.tiers.rules import Step, highest

WINDOW_MONTHS = 12


def default_ladder(currency: str) -> list[dict[str, Any]]:
    """The ladder a programme begins with: Silver for 500 spent or earned, Gold 5,000, Diamond 20,000.

    Money is written in major units here and kept in minor ones, as many as ``currency`` has.
    """
    major = minor_units(currency)
    return [
        _default("regular", ("Regular", "普通会员", "普通會員"), spend=0, points=0),
        _default("silver", ("Silver", "银卡", "銀卡"), spend=500 * major, points=500),
        _default("gold", ("Gold", "金卡", "金卡"), spend=5_000 * major, points=5_000),
        _default("diamond", ("Diamond", "钻石", "鑽石"), spend=20_000 * major, points=20_000),
    ]


def _default(code: str, names: tuple[str, str, str], *, spend: int, points: int) -> dict[str, Any]:
    asked = [("spend", spend), ("points_earned", points)]
    conditions = [{"metric": metric, "at_least": least} for metric, least in asked if least]
    return {
        "code": code,
        "name": dict(zip(LOCALES, names, strict=True)),
        "conditions": {"match": "any", "window_months": WINDOW_MONTHS, "conditions": conditions},
    }


def install_defaults() -> None:
    """Put up the default ladder where there is none. May be called again at any time."""
    if not queries.ladder():
        rows = [{"rank": rank, **tier} for rank, tier in enumerate(default_ladder(programme_currency()))]
        insert_new(Tier, rows, unless=["code"], returning=[Tier.id])


def _ladder() -> list[Tier]:
    """The ladder. A programme that has never made one starts with the default."""
    if not (tiers := queries.ladder()):
        install_defaults()
        tiers = queries.ladder()
    return tiers


def enrol(member_ids: Collection[int], *, now: datetime) -> None:
    """Put new members on the first step; whoever stands on the ladder already stays where they are."""
    first = _ladder()[0]
    rows = [{"member_id": member_id, "tier_id": first.id, "since": now} for member_id in sorted(set(member_ids))]
    enrolled = insert_new(Membership, rows, unless=["member_id"], returning=[Membership.member_id])
    changes = [_change(member_id, None, first.id, reason="enrolled", evidence={}, at=now) for (member_id,) in enrolled]
    if changes:
        db.session.execute(sa.insert(TierChange), changes)


@dataclass(frozen=True, slots=True)
class _Promotion:
    member_id: int
    from_tier_id: int
    step: Step
    evidence: dict[str, Any]


def review_upgrades(member_ids: Collection[int], *, now: datetime) -> None:
    """Raise those of these members who have reached a higher tier, at once and over several steps if need be.

    Never lowers anybody. Whatever the number of members, the statements are a handful.
    Publishes ``TiersRaised`` if anybody rose.
    """
    tiers = _ladder()
    ladder = queries.steps(tiers)
    rank_of = {tier.id: tier.rank for tier in tiers}
    standing = _lock_standing(member_ids)
    if newcomers := set(member_ids) - standing.keys():
        enrol(newcomers, now=now)
        standing |= _lock_standing(newcomers)
    candidates = {member: tier for member, tier in standing.items() if rank_of[tier] < ladder[-1].rank}
    promotions = _promotions(candidates, ladder, rank_of, now=now)
    if promotions:
        _promote(promotions, now=now)


def _lock_standing(member_ids: Collection[int]) -> dict[int, int]:
    """Member → tier, locked so that two reviews of one member happen one after the other."""
    statement = sa.select(Membership).where(Membership.member_id.in_(member_ids)).order_by(Membership.member_id)
    locked = db.session.scalars(lock(LockOrder.MEMBERSHIP, statement))
    return {membership.member_id: membership.tier_id for membership in locked}


def _promotions(
    standing: Mapping[int, int], ladder: Sequence[Step], rank_of: Mapping[int, int], *, now: datetime
) -> list[_Promotion]:
    by_window = _figures(standing, ladder, now=now)
    promotions = []
    for member_id, tier_id in standing.items():
        mine = {months: found[member_id] for months, found in by_window.items()}
        step = highest(ladder, mine, above=rank_of[tier_id])
        if step is not None:
            evidence = _evidence(step, mine[step.requirement.window_months])
            promotions.append(_Promotion(member_id, tier_id, step, evidence))
    return promotions


def _figures(member_ids: Collection[int], ladder: Sequence[Step], *, now: datetime) -> dict[int, ByMember]:
    """The figures over every window that the ladder looks at; the default ladder has one."""
    metrics: defaultdict[int, set[str]] = defaultdict(set)
    for step in ladder:
        metrics[step.requirement.window_months] |= {each.metric for each in step.requirement.conditions}
    return {months: figures(member_ids, months=months, metrics=wanted, now=now) for months, wanted in metrics.items()}


def _evidence(step: Step, mine: Mapping[str, int]) -> dict[str, Any]:
    """The figures that led to the tier, for the member's history: kept as they were, whatever the rules become."""
    asked = step.requirement
    conditions = [
        {"metric": each.metric, "at_least": each.at_least, "reached": mine[each.metric]} for each in asked.conditions
    ]
    return {"match": asked.match, "window_months": asked.window_months, "conditions": conditions}


def _promote(promotions: Sequence[_Promotion], *, now: datetime) -> None:
    by_tier: defaultdict[int, list[int]] = defaultdict(list)
    for each in promotions:
        by_tier[each.step.tier_id].append(each.member_id)
    for tier_id, member_ids in by_tier.items():
        db.session.execute(
            sa.update(Membership).where(Membership.member_id.in_(member_ids)).values(tier_id=tier_id, since=now)
        )
    changes = [
        _change(each.member_id, each.from_tier_id, each.step.tier_id, reason="upgrade", evidence=each.evidence, at=now)
        for each in promotions
    ]
    db.session.execute(sa.insert(TierChange), changes)
    raises = tuple(Raise(each.member_id, each.from_tier_id, each.step.tier_id) for each in promotions)
    publish(TiersRaised(raises, now))


def _change(
    member_id: int, from_id: int | None, to_id: int, *, reason: str, evidence: dict[str, Any], at: datetime
) -> dict[str, Any]:
    return {
        "member_id": member_id,
        "from_tier_id": from_id,
        "to_tier_id": to_id,
        "reason": reason,
        "evidence": evidence,
        "at": at,
    }
