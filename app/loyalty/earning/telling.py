"""The rules of earning as an owner reads them: a line for each thing that they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time

from babel.dates import format_time, get_day_names
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import day, points, short_money
from app.foundation.languages import reading, translated
from app.foundation.money import Money, programme_currency
from app.foundation.screens.terms_registry import Line, teller
from app.identity.units.queries import all_units
from app.loyalty.earning.explanations import number, one_major
from app.loyalty.earning.rules import Bonus, Campaign, Caps, Milestone, Rate, Reward, Scope
from app.loyalty.earning.terms import REWARDS, EarningTerms
from app.loyalty.ledger.actions import ExpiryPolicy


@teller(EarningTerms)
def lines(terms: EarningTerms) -> Sequence[Line]:
    rule, units = terms.purchase(0), {unit.code: translated(unit.name) for unit in all_units()}
    return [
        Line(_("Points for purchases"), rate(rule.rates[-1])),
        *(Line(_("Points for %(scope)s", scope=scope_text(each.scope, units)), rate(each)) for each in rule.rates[:-1]),
        Line(_("Growth value"), _("%(number)s per %(money)s", number=number(rule.growth), money=_one())),
        Line(_("Caps for purchases"), caps(rule.caps, rule.budget)),
        *(Line(_("Campaign “%(name)s”", name=translated(each.name)), campaign(each, units)) for each in rule.campaigns),
        *(Line(_("Bonus “%(name)s”", name=translated(each.name)), bonus(each)) for each in rule.bonuses),
        *(_reward(each, terms.reward_expiry(each.kind)) for each in terms.by_kind.values()),
        *(Line(_("Milestone “%(name)s”", name=translated(each.name)), milestone(each)) for each in terms.achievements),
        Line(_("Expiry of points from purchases"), expiry(terms.purchase_expiry)),
    ]


def _one() -> str:
    return one_major(programme_currency())


def rate(each: Rate) -> str:
    return ngettext(
        "%(rate)s point per %(money)s",
        "%(rate)s points per %(money)s",
        1 if each.points == 1 else 2,
        rate=number(each.points),
        money=_one(),
    )


def scope_text(scope: Scope, units: Mapping[str, str]) -> str:
    parts = (units.get(scope.unit or "", scope.unit), scope.category, scope.sku)
    return " · ".join(part for part in parts if part) or _("everything")


def caps(each: Caps, budget: int | None) -> str:
    return " · ".join(_caps(each, budget)) or _("none")


def _caps(each: Caps, budget: int | None) -> Iterator[str]:
    if each.purchase is not None:
        yield _("at most %(points)s for one purchase", points=points(each.purchase))
    if each.day is not None:
        yield _("at most %(points)s a day", points=points(each.day))
    if each.month is not None:
        yield _("at most %(points)s a month", points=points(each.month))
    if each.total is not None:
        yield _("at most %(points)s for each member", points=points(each.total))
    yield from _budget(budget)


def _budget(budget: int | None) -> Iterator[str]:
    if budget is not None:
        yield _("budget %(points)s points", points=points(budget))


def campaign(each: Campaign, units: Mapping[str, str]) -> str:
    times = _("× %(times)s for %(scope)s", times=number(each.times), scope=scope_text(each.scope, units))
    return " · ".join([times, *_when(each), *_budget(each.budget)])


def _when(each: Campaign) -> Iterator[str]:
    if each.days:
        days = ", ".join(map(str, sorted(each.days)))
        yield ngettext("on day %(days)s of the month", "on days %(days)s of the month", len(each.days), days=days)
    if each.weekdays:
        names = get_day_names("abbreviated", locale=reading())
        yield ", ".join(names[weekday] for weekday in sorted(each.weekdays))
    if each.starts:
        yield _("from %(moment)s", moment=local_moment(each.starts))
    if each.ends:
        yield _("until %(moment)s", moment=local_moment(each.ends))


def local_moment(local: datetime) -> str:
    """A time of the programme's, which must not be moved to another zone; midnight is the day."""
    if local.time() == time.min:
        return day(local.date())
    return f"{day(local.date())} {format_time(local, 'short', locale=reading())}"


def bonus(each: Bonus) -> str:
    figures = {"points": points(each.points), "nth": each.nth}
    what = {
        "month": _("%(points)s points for purchase number %(nth)s in a month", **figures),
        "year": _("%(points)s points for purchase number %(nth)s in a year", **figures),
        "ever": _("%(points)s points for purchase number %(nth)s", **figures),
    }[each.period]
    least = short_money(Money(each.at_least, programme_currency()))
    from_ = [_("of at least %(money)s", money=least)] if each.at_least else []
    return " · ".join([what, *from_, *_budget(each.budget)])


def milestone(each: Milestone) -> str:
    earn = points(each.earn)
    asked = {
        "month": _("%(points)s points earned in a month", points=earn),
        "year": _("%(points)s points earned in a year", points=earn),
        "ever": _("%(points)s points earned", points=earn),
    }[each.period]
    given = [_("%(points)s points on top", points=points(each.points))] if each.points else []
    given += [_("benefit “%(code)s”", code=each.benefit)] if each.benefit else []
    return " · ".join([asked, *given, *_budget(each.budget)])


def _reward(each: Reward, policy: ExpiryPolicy | None) -> Line:
    given = ngettext("%(amount)s point", "%(amount)s points", each.points, amount=points(each.points))
    lives = [_("expiry: %(expiry)s", expiry=expiry(policy))] if policy else []
    return Line(str(REWARDS[each.kind]), " · ".join([given, *_caps(each.caps, each.budget), *lives]))


def expiry(policy: ExpiryPolicy | None) -> str:
    if policy is None:
        return _("as the programme says")
    if policy.kind == "never":
        return _("never")
    if policy.kind == "yearly":
        return _("every year, month %(month)s, day %(day)s", month=policy.month, day=policy.day)
    if policy.kind == "inactivity":
        return ngettext(
            "%(num)s month after the last activity", "%(num)s months after the last activity", policy.months
        )
    return ngettext("at the end of the month, %(num)s month later", "at the end of the month, %(num)s months later",
                    policy.months)  # fmt: skip
