"""How tiers' conditions read."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import points, short_money
from app.foundation.money import Money, minor_units, programme_currency


def metric_label(metric: str) -> str:
    return {
        "spend": _("Money spent"),
        "purchases": _("Purchases"),
        "points_earned": _("Points earned"),
        "growth": _("Growth value"),
    }[metric]


def figure(metric: str, value: int) -> str:
    """``¥5,000`` for money, ``5,000`` for everything that is counted."""
    return short_money(Money(value, programme_currency())) if metric == "spend" else points(value)


def rough_figure(metric: str, value: int) -> str:
    """As ``figure``, but whole units of money: for the narrow columns of a chart."""
    if metric != "spend":
        return points(value)
    major = minor_units(programme_currency())
    return figure(metric, value // major * major)


def requirement(metric: str, value: int) -> str:
    """One condition of the ladder: ``Spend ¥5,000``."""
    amount = figure(metric, value)
    if metric == "spend":
        return _("Spend %(amount)s", amount=amount)
    if metric == "points_earned":
        return _("Earn %(amount)s points", amount=amount)
    if metric == "growth":
        return _("Collect %(amount)s growth value", amount=amount)
    return ngettext("Shop %(amount)s time", "Shop %(amount)s times", value, amount=amount)


def keep_requirement(metric: str, value: int, months: int) -> str:
    """One condition of the monthly review: ``Spend ¥200 in at least one month``, ``Earn 300 points in all``."""
    amount = figure(metric, value)
    if not months:
        return {
            "spend": _("Spend %(amount)s in all", amount=amount),
            "purchases": ngettext("Shop %(amount)s time in all", "Shop %(amount)s times in all", value, amount=amount),
            "points_earned": _("Earn %(amount)s points in all", amount=amount),
            "growth": _("Collect %(amount)s growth value in all", amount=amount),
        }[metric]
    if metric == "spend":
        return ngettext(
            "Spend %(amount)s in at least %(num)s month",
            "Spend %(amount)s in each of at least %(num)s months",
            months,
            amount=amount,
        )
    if metric == "purchases":
        return ngettext(
            "Shop %(amount)s× in at least %(num)s month",
            "Shop %(amount)s× in each of at least %(num)s months",
            months,
            amount=amount,
        )
    if metric == "growth":
        return ngettext(
            "Collect %(amount)s growth value in at least %(num)s month",
            "Collect %(amount)s growth value in each of at least %(num)s months",
            months,
            amount=amount,
        )
    return ngettext(
        "Earn %(amount)s points in at least %(num)s month",
        "Earn %(amount)s points in each of at least %(num)s months",
        months,
        amount=amount,
    )


def keep_label(metric: str, months: int) -> str:
    """What a bar of the review shows: ``Money spent, best month``."""
    label = metric_label(metric)
    if not months:
        return _("%(label)s in all", label=label)
    return ngettext("%(label)s, best month", "%(label)s, weakest of the best %(num)s months", months, label=label)


def missing(metric: str, value: int) -> str:
    """What is left to do: ``¥120 to go``, ``262 points to go``."""
    amount = figure(metric, value)
    if metric == "points_earned":
        return ngettext("%(amount)s point to go", "%(amount)s points to go", value, amount=amount)
    if metric == "purchases":
        return ngettext("%(amount)s purchase to go", "%(amount)s purchases to go", value, amount=amount)
    return _("%(amount)s to go", amount=amount)


def goal(metric: str, value: int, tier: str) -> str:
    """What is left to do, as a whole sentence: ``Spend ¥120 more to become Silver``."""
    amount = figure(metric, value)
    if metric == "spend":
        return _("Spend %(amount)s more to become %(tier)s", amount=amount, tier=tier)
    if metric == "purchases":
        return ngettext(
            "%(num)s more purchase to become %(tier)s",
            "%(num)s more purchases to become %(tier)s",
            value,
            tier=tier,
        )
    if metric == "growth":
        return _("Collect %(amount)s more growth value to become %(tier)s", amount=amount, tier=tier)
    return _("Earn %(amount)s more points to become %(tier)s", amount=amount, tier=tier)
