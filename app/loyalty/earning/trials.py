"""Purchases on which a draft of the rules is tried: what they bring under it, and under the rules in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.screens.terms_registry import Effect
from app.identity.units.queries import all_units
from app.loyalty.earning.explanations import why_purchase
from app.loyalty.earning.rules import Factor, PurchaseRule
from app.loyalty.earning.telling import local_moment
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import Prospect, value_under
from app.loyalty.earning.windows import run_of
from app.loyalty.ledger.explanations import explain
from app.loyalty.purchases.actions import ReportedLine

SAMPLES = (Fraction(99, 100), Fraction(477, 2), Fraction(2000))  # ¥0.99, ¥238.50, ¥2,000


@dataclass(frozen=True, slots=True)
class Trial:
    """A purchase as somebody imagines it. ``who`` and ``what`` are how that reads; ``tier`` multiplies anybody's."""

    who: str
    what: str
    prospect: Prospect
    tier: Factor | None = None

    def points(self, terms: EarningTerms) -> int:
        return value_under(self.prospect, terms.purchase(0), tier=self.tier).points


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
    award = value_under(prospect, draft.purchase(0), tier=trial.tier)
    told = why_purchase(award, version=0, order_no="", unit=prospect.unit_code, currency=prospect.currency)
    before = trial.points(in_force)
    return Outcome(
        sentence=_("%(who)s buys %(what)s.", who=trial.who, what=trial.what),
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
        Effect(trial.what, _points(trial.points(in_force)), _points(trial.points(draft)))
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
    what = what_text(amount, of=" · ".join(filter(None, (category, sku))), campaign=campaign)
    return Trial(_("anybody"), what, Prospect(None, unit, currency, moment, line(amount, category, sku)))


def what_text(amount: int, *, of: str = "", campaign: str = "", moment: datetime | None = None) -> str:
    """``¥238.50 of cosmetics on Jun 18, 2026``."""
    price = money(Money(amount, programme_currency()))
    if of and campaign:
        return _("%(price)s of %(what)s during “%(campaign)s”", price=price, what=of, campaign=campaign)
    if campaign:
        return _("for %(price)s during “%(campaign)s”", price=price, campaign=campaign)
    if moment is None:
        return _("%(price)s of %(what)s", price=price, what=of) if of else _("for %(price)s", price=price)
    when = local_moment(moment.astimezone(clock.programme_zone()).replace(tzinfo=None))
    if of:
        return _("%(price)s of %(what)s on %(when)s", price=price, what=of, when=when)
    return _("for %(price)s on %(when)s", price=price, when=when)
