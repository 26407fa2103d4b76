"""How what was earned reads in the points history: "Why these points?"."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import money, points, short_money
from app.foundation.money import Money, minor_units
from app.loyalty.earning.rules import GrowthAward, PurchaseAward
from app.loyalty.ledger.explanations import Facts, explanation, kind_label, sentence, step

PLACES = 4

kind_label("purchase", _l("Purchase"))
kind_label("joining", _l("Welcome gift"))


def why_purchase(
    award: PurchaseAward,
    *,
    version: int,
    order_no: str,
    unit: str,
    currency: str,
    life: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The explanation of a purchase's points: one step per rate, then the rounding where there was any.

    ``life`` says how long they live, where the rule has an expiry of its own.
    """
    steps = [
        step("purchase.portion", amount=part.amount, currency=currency, rate=str(part.rate), exact=str(part.exact))
        for part in award.portions
    ]
    code = "purchase.whole" if award.exact == award.points else "purchase.rounded"
    steps.append(step(code, exact=str(award.exact), points=award.points))
    return explanation("purchase", steps=[*steps, *life], order_no=order_no, unit=unit, rule_version=version)


def why_growth(award: GrowthAward, *, version: int, order_no: str, unit: str, currency: str) -> dict[str, Any]:
    """The explanation of a purchase's growth: amount times rate, then the rounding where there was any."""
    exact, rate = str(award.exact), str(award.rate)
    code = "purchase.growth_whole" if award.exact == award.growth else "purchase.rounded"
    steps = [
        step("purchase.growth_portion", amount=award.amount, currency=currency, rate=rate, exact=exact),
        step(code, exact=exact, points=award.growth),
    ]
    return explanation("purchase", steps=steps, order_no=order_no, unit=unit, rule_version=version)


def why_returned(*, order_no: str, unit: str) -> dict[str, Any]:
    return explanation("purchase.returned", order_no=order_no, unit=unit)


def why_joining(points: int, *, version: int, life: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    return explanation("joining", steps=list(life), points=points, rule_version=version)


@sentence("purchase")
def _purchase(facts: Facts) -> str:
    return _("Purchase %(order_no)s, valued by version %(version)s of the rule for purchases.",
             order_no=facts["order_no"], version=facts["rule_version"])  # fmt: skip


@sentence("purchase.portion")
def _portion(facts: Facts) -> str:
    rate = Fraction(facts["rate"])
    return ngettext(
        "%(amount)s × %(rate)s point per %(one)s = %(exact)s",
        "%(amount)s × %(rate)s points per %(one)s = %(exact)s",
        1 if rate == 1 else 2,
        amount=money(Money(facts["amount"], facts["currency"])),
        rate=number(rate),
        one=one_major(facts["currency"]),
        exact=number(Fraction(facts["exact"])),
    )


@sentence("purchase.growth_portion")
def _growth_portion(facts: Facts) -> str:
    return _(
        "%(amount)s × %(rate)s growth value per %(one)s = %(exact)s",
        amount=money(Money(facts["amount"], facts["currency"])),
        rate=number(Fraction(facts["rate"])),
        one=one_major(facts["currency"]),
        exact=number(Fraction(facts["exact"])),
    )


@sentence("purchase.rounded")
def _rounded(facts: Facts) -> str:
    return _("%(exact)s, rounded down to %(points)s", **_result(facts))


@sentence("purchase.whole")
def _whole(facts: Facts) -> str:
    return _("%(points)s points, nothing to round", **_result(facts))


@sentence("purchase.growth_whole")
def _growth_whole(facts: Facts) -> str:
    return _("%(points)s growth value, nothing to round", **_result(facts))


@sentence("purchase.returned")
def _returned(facts: Facts) -> str:
    return _("Purchase %(number)s came back, and with it what it had earned.", number=facts["order_no"])


@sentence("joining")
def _joining(facts: Facts) -> str:
    return _("Welcome: everybody who joins starts with %(points)s points.", points=points(facts["points"]))


def _result(facts: Facts) -> dict[str, str]:
    return {"exact": number(Fraction(facts["exact"])), "points": points(facts["points"])}


def one_major(currency: str) -> str:
    """``¥1``: one major unit, as rates are quoted."""
    return short_money(Money(minor_units(currency), currency))


def number(value: Fraction) -> str:
    """An exact decimal where there is one, else four digits and no more, cut off rather than rounded up."""
    cut = Fraction(int(value * 10**PLACES), 10**PLACES)
    text = format_decimal(Decimal(cut.numerator) / Decimal(cut.denominator), format="#,##0.####", locale=get_locale())
    return text if cut == value else _("about %(number)s", number=text)
