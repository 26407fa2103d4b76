"""The rules in force, and what they would give."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.foundation.points import Points
from app.foundation.terms import at
from app.loyalty.earning.rules import PurchaseRule, Reward
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import Prospect, value_one
from app.loyalty.purchases.actions import ReportedLine


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
    *, unit_code: str, currency: str, lines: Sequence[ReportedLine], at: datetime, member_id: int | None = None
) -> Points:
    """What a purchase made at this moment earns under the version then in force; for checkout pages.

    For a member with their benefits, and with what caps and budgets have left; for nobody in particular without.
    """
    prospect = Prospect(member_id=member_id, unit_code=unit_code, currency=currency, at=at, lines=tuple(lines))
    return Points(value_one(prospect).points)
