"""How a benefit reads: one line each, for members and for colleagues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

from babel.numbers import format_decimal
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from app.foundation.formats import points
from app.foundation.languages import translated
from app.loyalty.benefits.rules import GIFTS, Benefit, Gift, Kind

PICTURES = {
    Kind.DISCOUNT: "shopping-bags",
    Kind.MULTIPLIER: "glowing-star",
    Kind.EARLY_ACCESS: "alarm-clock",
    Kind.TIER_ONLY: "gem",
    Kind.BIRTHDAY_GIFT: "birthday-cake",
    Kind.MONTHLY_GIFT: "gift",
    Kind.COUPON_PACK: "red-envelope",
    Kind.FREE_DELIVERY: "truck",
    Kind.PRIORITY_DELIVERY: "rocket",
    Kind.RETURN_WINDOW: "calendar",
    Kind.WARRANTY: "shield",
    Kind.DEDICATED_AGENT: "headphones",
    Kind.EVENT_PRIORITY: "ticket",
}
TONES = {
    Kind.DISCOUNT: "brand",
    Kind.MULTIPLIER: "gold",
    Kind.EARLY_ACCESS: "info",
    Kind.TIER_ONLY: "violet",
    Kind.BIRTHDAY_GIFT: "danger",
    Kind.MONTHLY_GIFT: "gold",
    Kind.COUPON_PACK: "danger",
    Kind.DEDICATED_AGENT: "violet",
}


def times(value: Fraction) -> str:
    """``1.5×``."""
    return (
        f"{format_decimal(Decimal(value.numerator) / Decimal(value.denominator), format='0.##', locale=get_locale())}×"
    )


def gift_text(gift: Gift) -> str:
    """``100 points``, or what is handed out."""
    if gift.points:
        return ngettext("%(points)s point", "%(points)s points", gift.points, points=points(gift.points))
    return translated(gift.text)


def gifts_text(benefit: Benefit) -> str:
    return " + ".join(gift_text(gift) for gift in benefit.gifts)


def sentence(benefit: Benefit, units: Mapping[str, str] | None = None) -> str:
    """What it brings, as a sentence. ``units`` are names by code, for a benefit that counts in some only."""
    said = _sentence(benefit)
    if not benefit.units:
        return said
    names = ", ".join((units or {}).get(code, code) for code in sorted(benefit.units))
    return _("%(benefit)s, in %(units)s", benefit=said, units=names)


def _sentence(benefit: Benefit) -> str:
    number = benefit.number
    if benefit.kind in GIFTS:
        return _gift_sentence(benefit)
    said: dict[Kind, Callable[[], str]] = {
        Kind.DISCOUNT: lambda: _("%(percent)s %% off what you pay in money", percent=number),
        Kind.MULTIPLIER: lambda: (
            _("Points for every purchase")
            if benefit.value == 1
            else _("%(times)s the points for every purchase", times=times(benefit.value))
        ),
        Kind.EARLY_ACCESS: lambda: ngettext(
            "New products %(num)s day before everybody else", "New products %(num)s days before everybody else", number
        ),
        Kind.TIER_ONLY: lambda: _("Products that are not for everybody"),
        Kind.FREE_DELIVERY: lambda: _("Delivery costs you nothing"),
        Kind.PRIORITY_DELIVERY: lambda: _("Your parcels are sent first"),
        Kind.RETURN_WINDOW: lambda: ngettext(
            "%(num)s more day to return something", "%(num)s more days to return something", number
        ),
        Kind.WARRANTY: lambda: ngettext("%(num)s more month of warranty", "%(num)s more months of warranty", number),
        Kind.DEDICATED_AGENT: lambda: _("Somebody who knows you answers your questions"),
        Kind.EVENT_PRIORITY: lambda: _("Places at events before everybody else"),
    }
    return said[benefit.kind]()


def _gift_sentence(benefit: Benefit) -> str:
    gifts = gifts_text(benefit)
    if benefit.kind is Kind.BIRTHDAY_GIFT:
        return _("For your birthday: %(gift)s", gift=gifts)
    if benefit.period == "month":
        return _("Every month: %(gift)s", gift=gifts)
    if benefit.period == "year":
        return _("Every year: %(gift)s", gift=gifts)
    return _("Once: %(gift)s", gift=gifts)


def short(benefit: Benefit) -> str:
    """The same for a cell of the comparison; empty for what one has or has not."""
    number = benefit.number
    if benefit.kind in GIFTS:
        only_points = not any(gift.text for gift in benefit.gifts)
        return points(benefit.points, sign=True) if only_points else gifts_text(benefit)
    said: dict[Kind, Callable[[], str]] = {
        Kind.DISCOUNT: lambda: f"{number} %",
        Kind.MULTIPLIER: lambda: times(benefit.value),
        Kind.EARLY_ACCESS: lambda: ngettext("%(num)s day", "%(num)s days", number),
        Kind.RETURN_WINDOW: lambda: ngettext("%(num)s day", "%(num)s days", number),
        Kind.WARRANTY: lambda: ngettext("%(num)s month", "%(num)s months", number),
    }
    return said[benefit.kind]() if benefit.kind in said else ""
