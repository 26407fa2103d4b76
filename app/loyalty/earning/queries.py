"""The rules in force, and what they would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db
from app.foundation.points import Points
from app.foundation.terms import at
from app.loyalty.benefits.queries import Perks
from app.loyalty.earning.milestones import Way, ways
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.rules import (
    PURCHASE,
    Circumstances,
    Cut,
    Factor,
    PurchaseRule,
    Reward,
    Spend,
    period_of_day,
    purchase_growth,
    purchase_points,
)
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import Prospect, value_one
from app.loyalty.purchases.actions import ReportedLine

# Other domains may not import rules: what values a purchase is handed out here, for simulations to value by the same.
__all__ = [
    "PURCHASE",
    "Circumstances",
    "Cut",
    "EarningTerms",
    "Factor",
    "Had",
    "PurchaseRule",
    "Spend",
    "purchase_growth",
    "purchase_points",
    "purchase_rule",
    "reward_at",
    "rewarded_before",
    "rewards_had",
    "welcome_points",
    "would_earn",
]


def purchase_rule(moment: datetime) -> PurchaseRule:
    """How purchases made at ``moment`` are valued."""
    edition = at(EarningTerms, moment)
    return edition.terms.purchase(edition.version)


def reward_at(kind: str, moment: datetime) -> Reward:
    """What a kind of reward gives at ``moment``; nothing where the rules do not know it."""
    return at(EarningTerms, moment).terms.by_kind.get(kind) or Reward(kind=kind, points=0)


def welcome_points(moment: datetime) -> Points:
    """What somebody who joins at ``moment`` starts with."""
    return Points(reward_at("joining", moment).points)


def would_earn(
    *,
    unit_code: str,
    currency: str,
    lines: Sequence[ReportedLine],
    at: datetime,
    member_id: int | None = None,
    perks: Perks | None = None,
) -> Points:
    """What a purchase made at this moment earns under the version then in force; for checkout pages.

    For a member with their benefits, and with what caps and budgets have left; for nobody in particular without.
    ``perks`` are the member's, where the caller knows them already.
    """
    return Points(value_one(Prospect(member_id, unit_code, currency, at, tuple(lines), perks)).points)


# --- what members were rewarded for ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Had:
    """What a member had for one kind of thing: points of today, of this month and altogether, and how often."""

    today: int = 0
    month: int = 0
    total: int = 0
    times: int = 0
    times_today: int = 0

    def of(self, cap: str) -> int:
        """What counts towards a cap: ``day``, ``month`` or ``total``."""
        return {"day": self.today, "month": self.month, "total": self.total}[cap]


def rewards_had(member_id: int, *, now: datetime) -> dict[str, Had]:
    """By kind, in the programme's days and months; by one query."""
    zone = clock.programme_zone()
    today = clock.local_date(now, zone)
    this_day = Rewarded.at >= clock.start_of(today, zone)
    this_month = Rewarded.at >= clock.start_of(today.replace(day=1), zone)
    points = sa.func.sum(Rewarded.points)
    rows = db.session.execute(
        sa.select(
            Rewarded.kind,
            sa.func.coalesce(points.filter(this_day), 0),
            sa.func.coalesce(points.filter(this_month), 0),
            points,
            sa.func.count(),
            sa.func.count().filter(this_day),
        )
        .where(Rewarded.member_id == member_id)
        .group_by(Rewarded.kind)
    )
    return {row[0]: Had(*map(int, row[1:])) for row in rows}


def first_day(period: str, day: date) -> date:
    """Of the ``month``, ``year`` or ``day`` in which ``day`` lies; of all days for ``ever``."""
    return period_of_day(period, day)[0]


def rewards_at(moment: datetime) -> dict[str, Reward]:
    """What every kind of reward gives at ``moment``."""
    return at(EarningTerms, moment).terms.by_kind


def milestone_ways(member_id: int, *, now: datetime) -> list[Way]:
    """How far a member has come with every milestone there is."""
    return ways([member_id], now=now)[member_id]


def rewarded_before(member_id: int, kind: str, subject: str) -> bool:
    which = sa.select(Rewarded.id).where(
        Rewarded.member_id == member_id, Rewarded.kind == kind, Rewarded.subject == subject
    )
    return db.session.scalar(which) is not None
