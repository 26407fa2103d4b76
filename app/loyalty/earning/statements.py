"""The rules of earning as members read them: a sentence each, with its cap, and when a campaign runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fractions import Fraction

from babel.dates import format_skeleton, format_time, get_day_names
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import points, short_money
from app.foundation.languages import reading, translated
from app.foundation.money import Money, programme_currency
from app.loyalty.earning.explanations import number, one_major
from app.loyalty.earning.rules import Bonus, Campaign, Caps, Milestone, PurchaseRule, Scope
from app.loyalty.earning.windows import Run, run_of


def points_of(amount: Fraction) -> str:
    return ngettext("%(amount)s point", "%(amount)s points", 1 if amount == 1 else 2, amount=number(amount))


def rate_text(rate: Fraction) -> str:
    """``1 point per ¥1``."""
    return _("%(points)s per %(money)s", points=points_of(rate), money=one_major(programme_currency()))


def promise(rule: PurchaseRule) -> str:
    """What every purchase brings, where nothing special is the case."""
    money = one_major(programme_currency())
    return _("Every %(money)s brings you %(points)s.", money=money, points=points_of(rule.rates[-1].points))


def place(scope: Scope, units: Mapping[str, str]) -> str:
    """What a rule is for, with the names of ``units`` by code; empty for everything."""
    return " · ".join(filter(None, (units.get(scope.unit or "", scope.unit), scope.category, scope.sku)))


def cap_sentence(caps: Caps) -> str:
    """The narrowest cap that a member meets, or both of two; empty where there is none."""
    day, month, total = (None if cap is None else points(cap) for cap in (caps.day, caps.month, caps.total))
    if day and month:
        return _("At most %(day)s points a day and %(month)s a month.", day=day, month=month)
    if day:
        return _("At most %(most)s points a day.", most=day)
    if month:
        return _("At most %(most)s points a month.", most=month)
    if total:
        return _("At most %(most)s points altogether.", most=total)
    return _("At most %(most)s points for one purchase.", most=points(caps.purchase)) if caps.purchase else ""


# --- campaigns ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CampaignWords:
    """A campaign that runs (``now``), or the time at which it will. ``badge`` is ``×2``."""

    name: str
    rule: str
    time: str
    badge: str
    now: bool


def campaigns_in_words(rule: PurchaseRule, local: datetime, units: Mapping[str, str]) -> list[CampaignWords]:
    """Those that run at the programme's ``local`` time, then those to come, the next one first."""
    runs = [(run, each) for each in rule.campaigns if (run := run_of(each, local))]
    runs.sort(key=lambda pair: (pair[0].starts > local, pair[0].starts, pair[1].code))
    return [_campaign(each, run, local, units) for run, each in runs]


def _campaign(campaign: Campaign, run: Run, local: datetime, units: Mapping[str, str]) -> CampaignWords:
    what, times = place(campaign.scope, units), number(campaign.times)
    rule = (
        _("%(what)s: %(times)s times the points.", what=what, times=times)
        if what
        else _("%(times)s times the points on every purchase.", times=times)
    )
    if campaign.weekdays and not campaign.days:
        names = get_day_names("wide", locale=reading())
        days = ", ".join(names[weekday] for weekday in sorted(campaign.weekdays))
        rule = _("%(rule)s Every week: %(days)s.", rule=rule, days=days)
    running = run.starts <= local
    return CampaignWords(translated(campaign.name), rule, _time(run, running=running), f"×{times}", running)


def _time(run: Run, *, running: bool) -> str:
    if not running:
        return _("From %(moment)s", moment=_moment(run.starts))
    if run.ends is None:
        return _("Now")
    if run.ends.time() == time.min:
        return _("Now, to the end of %(day)s", day=_day(run.ends - timedelta(days=1)))
    return _("Now, until %(moment)s", moment=_moment(run.ends))


def _moment(local: datetime) -> str:
    """Already in the programme's time, so it must not be moved to another zone."""
    if local.time() == time.min:
        return _day(local)
    return f"{_day(local)} {format_time(local, 'short', locale=reading())}"


def _day(local: datetime) -> str:
    return str(format_skeleton("MMMEd", local, locale=reading()))


# --- bonuses and milestones -----------------------------------------------------------------


def bonus_sentence(bonus: Bonus) -> str:
    figures = {"nth": bonus.nth, "points": points(bonus.points)}
    if bonus.period == "month":
        return _("Purchase number %(nth)s of a month brings %(points)s points more.", **figures)
    if bonus.period == "year":
        return _("Purchase number %(nth)s of a year brings %(points)s points more.", **figures)
    if bonus.nth == 1:
        return _("Your very first purchase brings %(points)s points more.", **figures)
    return _("Your purchase number %(nth)s brings %(points)s points more.", **figures)


def bonus_condition(bonus: Bonus) -> str:
    """Which purchases count; empty where all do."""
    if not bonus.at_least:
        return ""
    least = short_money(Money(bonus.at_least, programme_currency()))
    return _("Purchases of %(money)s or more count.", money=least)


def milestone_sentence(milestone: Milestone) -> str:
    figures = {"earn": points(milestone.earn), "points": points(milestone.points)}
    gift = not milestone.points
    if milestone.period == "month":
        return (
            _("Earn %(earn)s points in a month and get a gift.", **figures)
            if gift
            else _("Earn %(earn)s points in a month and get %(points)s more.", **figures)
        )
    if milestone.period == "year":
        return (
            _("Earn %(earn)s points in a year and get a gift.", **figures)
            if gift
            else _("Earn %(earn)s points in a year and get %(points)s more.", **figures)
        )
    return (
        _("Earn %(earn)s points altogether and get a gift.", **figures)
        if gift
        else _("Earn %(earn)s points altogether and get %(points)s more.", **figures)
    )
