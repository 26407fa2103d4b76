"""What purchases are worth, given who bought, when, and what came before: the circumstances for ``rules``.

A purchase is valued by the version in force when it happened, with the benefits that its member had then. Where a rule
looks at what came before (caps, budgets, the Nth purchase), a ``Tally`` counts, and goes on counting within a batch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import LockOrder, any_of, db, insert_new, lock
from app.foundation.money import minor_units
from app.foundation.terms import Edition, at, editions, in_force
from app.loyalty.benefits.queries import Multiplier, Perks, Shopping, multipliers
from app.loyalty.earning.models import Budget
from app.loyalty.earning.rules import (
    FOR_EVER,
    Circumstances,
    Factor,
    PurchaseAward,
    PurchaseRule,
    Spend,
    period_of_day,
    purchase_points,
)
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.purchases.actions import ReportedLine
from app.loyalty.purchases.queries import Kept, kept_by


@dataclass(frozen=True, slots=True)
class Prospect:
    """A purchase that is being thought about; without a member it is anybody's.

    ``perks`` are the member's, where the caller knows them already.
    """

    member_id: int | None
    unit_code: str
    currency: str
    at: datetime
    lines: tuple[ReportedLine, ...]
    perks: Perks | None = None


class Sale(Protocol):
    """What is to be valued: a reported purchase, or one that is being thought about."""

    @property
    def unit_code(self) -> str: ...
    @property
    def currency(self) -> str: ...
    @property
    def lines(self) -> tuple[ReportedLine, ...]: ...


def spends(lines: Sequence[ReportedLine]) -> list[Spend]:
    return [Spend(line.amount, line.category, line.sku) for line in lines]


def factor(multiplier: Multiplier | None) -> Factor | None:
    return Factor("tier", multiplier.name, multiplier.times) if multiplier else None


def award_for(sale: Sale, rule: PurchaseRule, circumstances: Circumstances) -> PurchaseAward:
    minor = minor_units(sale.currency)
    return purchase_points(spends(sale.lines), rule, unit=sale.unit_code, minor_units=minor, at=circumstances)


def value_one(prospect: Prospect) -> PurchaseAward:
    """What one purchase would bring now. Takes no lock, so caps and budgets may still change."""
    edition = at(EarningTerms, prospect.at)
    return value_under(prospect, edition.terms.purchase(edition.version))


def value_under(
    prospect: Prospect, rule: PurchaseRule, *, tier: Factor | None = None, counts: Mapping[str, int] | None = None
) -> PurchaseAward:
    """What it would bring under this rule, in force or not.

    ``tier`` is what anybody's points are multiplied by, and ``counts`` the number of anybody's purchase for each bonus.
    """
    local = prospect.at.astimezone(clock.programme_zone()).replace(tzinfo=None)
    if prospect.member_id is None:
        return award_for(prospect, rule, Circumstances(local=local, tier=tier, left=rule.budgets, counts=counts or {}))
    multiplier = _multiplier_of(prospect.member_id, prospect)
    tally = Tally(used_budgets(rule.budgets))
    if rule.limited:
        tally.look_up([(prospect.member_id, prospect.at, rule)])
    return award_for(
        prospect, rule, tally.circumstances(prospect.member_id, prospect.at, local, rule, factor(multiplier))
    )


def _multiplier_of(member_id: int, prospect: Prospect) -> Multiplier | None:
    if prospect.perks is not None:
        return prospect.perks.multiplier(prospect.unit_code)
    return multipliers([Shopping(member_id, prospect.unit_code, prospect.at)])[0]


# --- budgets --------------------------------------------------------------------------------


def used_budgets(codes: Collection[str]) -> dict[str, int]:
    """What was used of budgets so far."""
    if not codes:
        return {}
    return dict(db.session.execute(sa.select(Budget.rule, Budget.used).where(any_of(Budget.rule, codes))).all())


def lock_budgets(codes: Collection[str]) -> dict[str, int]:
    """The same, locked: whoever gives from these budgets comes one after the other."""
    if not codes:
        return {}
    insert_new(Budget, [{"rule": code, "used": 0} for code in sorted(codes)], unless=["rule"], returning=[Budget.rule])
    which = sa.select(Budget).where(any_of(Budget.rule, codes)).order_by(Budget.rule)
    return {row.rule: row.used for row in db.session.scalars(lock(LockOrder.EARNING, which))}


def use_budgets(spent: Mapping[str, int]) -> None:
    """Count what was given from budgets that are locked."""
    for code, points in sorted(spent.items()):
        if points:
            taken = sa.update(Budget).where(Budget.rule == code).values(used=Budget.used + points)
            db.session.execute(taken, execution_options={"synchronize_session": False})


# --- what came before -----------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What members had before, by period, and what budgets have used. Counts on while a batch is valued."""

    budgets: dict[str, int] = field(default_factory=dict)
    kept: dict[int, list[Kept]] = field(default_factory=dict)

    def look_up(self, sales: Sequence[tuple[int, datetime, PurchaseRule]]) -> None:
        """Read the purchases on which these sales depend, by one query: those of the periods in which they happened."""
        zone = clock.programme_zone()
        members, first, last = set(), None, None
        for member_id, moment, rule in sales:
            for period in _periods(rule):
                begin, end = period_of_day(period, clock.local_date(moment, zone))
                members.add(member_id)
                first, last = min(first or begin, begin), max(last or end, end)
        if first is None or last is None:
            return
        since = clock.start_of(first, zone)
        until = clock.start_of(last, zone) if last < date.max.replace(month=1, day=1) else None
        for each in kept_by(members, since=since, until=until):
            self.kept.setdefault(each.member_id, []).append(each)

    def circumstances(
        self, member_id: int, moment: datetime, local: datetime, rule: PurchaseRule, tier: Factor | None
    ) -> Circumstances:
        if not rule.limited:
            return Circumstances(local=local, tier=tier)
        before = self.kept.get(member_id, [])
        used = {cap: sum(each.points for each in _within(cap, moment, before)) for cap in rule.caps.periods}
        counts = {
            bonus.code: 1 + sum(each.amount >= max(bonus.at_least, 1) for each in _within(bonus.period, moment, before))
            for bonus in rule.bonuses
        }
        held = frozenset(
            bonus.code
            for bonus in rule.bonuses
            if any(bonus.code in each.bonuses and each.amount for each in _within(bonus.period, moment, before))
        )
        left = {code: max(budget - self.budgets.get(code, 0), 0) for code, budget in rule.budgets.items()}
        return Circumstances(local=local, tier=tier, used=used, left=left, counts=counts, held=held)

    def count(self, member_id: int, moment: datetime, *, amount: int, award: PurchaseAward) -> None:
        """This one has been valued: what comes after it finds it on record."""
        self.kept.setdefault(member_id, []).append(Kept(member_id, moment, amount, award.points, award.codes))
        for code, points in award.spent.items():
            self.budgets[code] = self.budgets.get(code, 0) + points


def _periods(rule: PurchaseRule) -> set[str]:
    return {*rule.caps.periods, *(bonus.period for bonus in rule.bonuses)}


def _within(period: str, moment: datetime, purchases: Sequence[Kept]) -> list[Kept]:
    """Those of the period in which ``moment`` lies."""
    if period in FOR_EVER:
        return list(purchases)
    zone = clock.programme_zone()
    begin, end = period_of_day(period, clock.local_date(moment, zone))
    since, until = clock.start_of(begin, zone), clock.start_of(end, zone)
    return [each for each in purchases if since <= each.occurred_at < until]


def rules_for(moments: Sequence[datetime]) -> list[tuple[Edition[EarningTerms], PurchaseRule]]:
    """The version in force at each moment, and its rule for purchases."""
    published = editions(EarningTerms)
    rules = {each.version: (each, each.terms.purchase(each.version)) for each in published}
    return [rules[in_force(published, moment).version] for moment in moments]


def anything_limited() -> bool:
    """Does any version look at what came before a purchase?

    Asked of all of them, so that whoever records purchases locks in the same order: members before purchases if
    any rule needs it, purchases before members otherwise.
    """
    return any(edition.terms.purchase(edition.version).limited for edition in editions(EarningTerms))
