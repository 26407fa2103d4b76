"""The ladder, and where members stand on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.foundation.database import db
from app.loyalty.tiers.figures import figures
from app.loyalty.tiers.models import Membership, Tier, TierChange
from app.loyalty.tiers.rules import Requirement, Step


def ladder() -> list[Tier]:
    """All tiers, the first step first."""
    return list(db.session.scalars(sa.select(Tier).order_by(Tier.rank)))


def steps(tiers: Collection[Tier]) -> list[Step]:
    """The ladder as the calculation sees it."""
    return [Step(tier.id, tier.rank, Requirement.parse(tier.conditions)) for tier in tiers]


def tiers_of(member_ids: Collection[int]) -> dict[int, Tier]:
    """Each member's tier, by one query. A member who was never enrolled is not in it."""
    if not member_ids:
        return {}
    query = (
        sa.select(Membership.member_id, Tier)
        .join(Tier, Tier.id == Membership.tier_id)
        .where(Membership.member_id.in_(member_ids))
    )
    return dict(db.session.execute(query).all())


@dataclass(frozen=True, slots=True)
class ConditionProgress:
    """One condition of the next tier: how far the member is. Money in minor units."""

    metric: str
    reached: int
    needed: int

    @property
    def missing(self) -> int:
        return max(self.needed - self.reached, 0)

    @property
    def done(self) -> bool:
        return self.missing == 0

    @property
    def share(self) -> float:
        """0 to 1, for a bar."""
        return min(self.reached / self.needed, 1.0)


@dataclass(frozen=True, slots=True)
class TierProgress:
    """``next_tier`` is ``None`` at the top. ``match``: are ``any`` or ``all`` of its conditions asked for?"""

    tier: Tier
    since: datetime | None
    next_tier: Tier | None
    match: str
    window_months: int
    conditions: list[ConditionProgress]

    @property
    def nearest(self) -> ConditionProgress | None:
        """The condition to show where there is room for one: the nearest of ``any``, the farthest of ``all``."""
        pick = max if self.match == "any" else min
        return pick(self.conditions, key=lambda each: each.share, default=None)


def progress(member_id: int, *, now: datetime) -> TierProgress | None:
    """Where a member stands, and what the next tier still asks for; ``None`` while there is no ladder at all."""
    here = sa.and_(Membership.tier_id == Tier.id, Membership.member_id == member_id)
    query = sa.select(Tier, Membership.since).outerjoin(Membership, here).order_by(Tier.rank)
    rows = db.session.execute(query).all()
    if not rows:
        return None
    tiers = [each for each, _ in rows]
    tier, since = next((row for row in rows if row.since), (tiers[0], None))
    above = next((each for each in tiers if each.rank > tier.rank and each.conditions.get("conditions")), None)
    if above is None:
        return TierProgress(tier, since, None, "any", 12, [])
    asked = Requirement.parse(above.conditions)
    metrics = [condition.metric for condition in asked.conditions]
    mine = figures([member_id], months=asked.window_months, metrics=metrics, now=now)[member_id]
    conditions = [ConditionProgress(each.metric, mine[each.metric], each.at_least) for each in asked.conditions]
    return TierProgress(tier, since, above, asked.match, asked.window_months, conditions)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    change: TierChange
    from_tier: Tier | None
    to_tier: Tier


def history(member_id: int, *, limit: int = 50) -> list[HistoryEntry]:
    """A member's way up (and down) the ladder, newest first."""
    before, after = aliased(Tier), aliased(Tier)
    query = (
        sa.select(TierChange, before, after)
        .outerjoin(before, before.id == TierChange.from_tier_id)
        .join(after, after.id == TierChange.to_tier_id)
        .where(TierChange.member_id == member_id)
        .order_by(TierChange.at.desc(), TierChange.id.desc())
        .limit(limit)
    )
    return [HistoryEntry(*row) for row in db.session.execute(query)]
