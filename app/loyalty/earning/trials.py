"""Purchases on which a draft of the rules is tried: what they bring under it, and under the rules in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.formats import points, short_money
from app.foundation.languages import translated
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.screens.terms_registry import Effect
from app.identity.units.queries import all_units
from app.loyalty.earning.explanations import why_purchase
from app.loyalty.earning.rules import Factor, PurchaseAward, PurchaseRule
from app.loyalty.earning.telling import local_moment
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import Prospect, value_under
from app.loyalty.earning.windows import run_of
from app.loyalty.ledger.explanations import explain
from app.loyalty.purchases.actions import ReportedLine

SAMPLES = (Fraction(99, 100), Fraction(477, 2), Fraction(2000))  # ¥0.99, ¥238.50, ¥2,000


@dataclass(frozen=True, slots=True)
class Trial:
    """A purchase as somebody imagines it. ``sentence`` is how that reads.

    ``tier`` multiplies anybody's points, and it is anybody's ``nth`` purchase, in whatever period a bonus counts.
    """

    sentence: str
    prospect: Prospect
    tier: Factor | None = None
    nth: int = 1

    def award(self, terms: EarningTerms) -> PurchaseAward:
        rule = terms.purchase(0)
        return value_under(self.prospect, rule, tier=self.tier, counts={each.code: self.nth for each in rule.bonuses})

    def points(self, terms: EarningTerms) -> int:
        return self.award(terms).points


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial brings, in words: under the draft with each step, and under the rules in force."""

    sentence: str
    points: str
    steps: Sequence[str]
    before: str
    changed: bool


def outcome(trial: Trial, draft: EarningTerms, in_force: EarningTerms) -> Outcome:
    prospect = trial.prospect
    award = trial.award(draft)
    told = why_purchase(award, version=0, order_no="", unit=prospect.unit_code, currency=prospect.currency)
    before = trial.points(in_force)
    return Outcome(
        sentence=trial.sentence,
        points=_points(award.points),
        steps=explain(told)[1:],
        before=_points(before),
        changed=before != award.points,
    )


def _points(number: int) -> str:
    return ngettext("%(amount)s point", "%(amount)s points", number, amount=points(number))


def line(amount: int, category: str = "", sku: str = "") -> tuple[ReportedLine, ...]:
    return (ReportedLine(category, sku, 1, amount),)


# --- three purchases that are always tried --------------------------------------------------


def samples(in_force: EarningTerms, draft: EarningTerms, *, now: datetime) -> Sequence[Effect]:
    """Small, ordinary and large, anybody's: today, of something with a rate of its own, and in the next campaign."""
    return [
        Effect(trial.sentence, _points(trial.points(in_force)), _points(trial.points(draft)))
        for trial in _standing(draft, now)
    ]


def _standing(draft: EarningTerms, now: datetime) -> Iterator[Trial]:
    rule = draft.purchase(0)
    unit = next((unit.code for unit in all_units()), "")
    small, ordinary, large = (int(each * minor_units(programme_currency())) for each in SAMPLES)
    yield _sample(small, unit, now)
    yield _special(ordinary, unit, rule, now)
    yield _in_campaign(large, unit, rule, now)


def _special(amount: int, unit: str, rule: PurchaseRule, now: datetime) -> Trial:
    own = next((rate.scope for rate in rule.rates[:-1]), None)
    if own is None:
        return _sample(amount, unit, now)
    return _sample(amount, own.unit or unit, now, category=own.category or "", sku=own.sku or "")


def _in_campaign(amount: int, unit: str, rule: PurchaseRule, now: datetime) -> Trial:
    zone = clock.programme_zone()
    local = now.astimezone(zone).replace(tzinfo=None)
    runs = [(run.starts, each.code, each) for each in rule.campaigns if (run := run_of(each, local))]
    if not runs:
        return _sample(amount, unit, now)
    starts, _code, campaign = min(runs)
    scope = campaign.scope
    moment = starts.replace(tzinfo=zone)
    name = translated(campaign.name)
    return _sample(
        amount, scope.unit or unit, moment, category=scope.category or "", sku=scope.sku or "", campaign=name
    )


def _sample(
    amount: int, unit: str, moment: datetime, *, category: str = "", sku: str = "", campaign: str = ""
) -> Trial:
    currency = programme_currency()
    of = " · ".join(filter(None, (category, sku)))
    label = (
        price(amount, of)
        if not campaign
        else _("%(price)s during “%(campaign)s”", price=price(amount, of), campaign=campaign)
    )
    return Trial(label, Prospect(None, unit, currency, moment, line(amount, category, sku)))


def price(amount: int, of: str = "") -> str:
    """``¥238.50``, or ``¥238.50 of cosmetics``."""
    paid = short_money(Money(amount, programme_currency()))
    return _("%(price)s of %(what)s", price=paid, what=of) if of else paid


def spoken(who: str, amount: int, of: str, moment: datetime) -> str:
    """``Alice, Gold, buys ¥238.50 of cosmetics on Jun 18, 2026 12:00.``"""
    local = moment.astimezone(clock.programme_zone()).replace(tzinfo=None)
    figures = {"who": who, "price": price(amount, of), "when": local_moment(local)}
    return (
        _("%(who)s buys %(price)s on %(when)s.", **figures)
        if of
        else _("%(who)s spends %(price)s on %(when)s.", **figures)
    )
