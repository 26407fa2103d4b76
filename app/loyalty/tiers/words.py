"""How tiers' conditions read."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import points, short_money
from app.foundation.money import Money, programme_currency


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
