"""How what was earned reads in the points history: "Why these points?"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import money, points, short_money
from app.foundation.languages import translated
from app.foundation.money import Money, minor_units
from app.loyalty.earning.rules import Cut, Given, GrowthAward, Portion, PurchaseAward
from app.loyalty.ledger.actions import ExpiryPolicy
from app.loyalty.ledger.explanations import Facts, explanation, kind_label, label_of, lives, sentence, step

PLACES = 4

kind_label("purchase", _l("Purchase"))
kind_label("joining", _l("Welcome gift"))
kind_label("profile", _l("Profile completed"))
kind_label("sharing", _l("Shared"))
kind_label("review", _l("Review"))
kind_label("review_picture", _l("Review with a picture"))
kind_label("draw", _l("Draw"))
kind_label("quiz", _l("Quiz"))
kind_label("survey", _l("Survey"))
kind_label("course", _l("Course"))
kind_label("event", _l("Event"))
kind_label("birthday", _l("Birthday"))
kind_label("anniversary", _l("Anniversary"))
kind_label("milestone", _l("Milestone"))


def why_purchase(
    award: PurchaseAward,
    *,
    version: int,
    order_no: str,
    unit: str,
    currency: str,
    life: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The explanation of a purchase's points: a step per rate and multiplier, the rounding where there was any, each
    bonus, and what every cap and budget cut off.

    ``life`` says how long they live, where the rule has an expiry of its own.
    """
    steps = [_portion_step(part, currency) for part in award.portions]
    steps += [_cut_step(cut) for cut in award.cuts if cut.name]
    whole = award.exact.numerator // award.exact.denominator
    code = "purchase.whole" if award.exact == whole else "purchase.rounded"
    steps.append(step(code, exact=str(award.exact), points=whole))
    steps += [_bonus_step(given) for given in award.bonuses]
    steps += [_cut_step(cut) for cut in award.cuts if not cut.name]
    return explanation("purchase", steps=[*steps, *life], order_no=order_no, unit=unit, rule_version=version)


def _portion_step(part: Portion, currency: str) -> dict[str, Any]:
    facts: dict[str, Any] = {"amount": part.amount, "currency": currency, "rate": str(part.rate)}
    facts["exact"] = str(part.exact)
    if part.factors:
        facts["factors"] = [{"name": dict(each.name), "by": str(each.by)} for each in part.factors]
    return step("purchase.portion", **facts)


def _bonus_step(given: Given) -> dict[str, Any]:
    return step("purchase.bonus", name=dict(given.name), nth=given.nth, period=given.period, points=given.points)


def _cut_step(cut: Cut) -> dict[str, Any]:
    facts: dict[str, Any] = {"cap": cut.cap, "most": cut.most, "left": cut.left, "cut": str(cut.cut)}
    if cut.name:
        facts["name"] = dict(cut.name)
    return step("earning.cut", **facts)


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


def why_reward(
    kind: str,
    points: int,
    *,
    version: int,
    full: int,
    cuts: Sequence[Cut],
    about: str,
    expiry: ExpiryPolicy | None,
    since: datetime,
) -> dict[str, Any]:
    """The explanation of a fixed reward: what the rule gives, and what a cap left of it."""
    steps = [_cut_step(cut) for cut in cuts] + ([lives(expiry, since)] if expiry else [])
    if kind == "joining":
        return explanation("joining", steps=steps, points=points, rule_version=version)
    return explanation("reward", steps=steps, kind=kind, points=full, about=about, rule_version=version)


def why_milestone(name: Mapping[str, str], *, earn: int, points: int, period: str, version: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": dict(name), "earn": earn, "points": points, "period": period}
    return explanation("milestone", rule_version=version, **facts)


def why_milestone_lost(name: Mapping[str, str], *, earn: int) -> dict[str, Any]:
    return explanation("milestone.lost", name=dict(name), earn=earn)


@sentence("milestone.lost")
def _milestone_lost(facts: Facts) -> str:
    return _(
        "“%(name)s” asks for %(earn)s points, and after a return fewer were earned.",
        name=translated(facts["name"]),
        earn=points(facts["earn"]),
    )


@sentence("purchase")
def _purchase(facts: Facts) -> str:
    return _("Purchase %(order_no)s, valued by version %(version)s of the rule for purchases.",
             order_no=facts["order_no"], version=facts["rule_version"])  # fmt: skip


@sentence("purchase.portion")
def _portion(facts: Facts) -> str:
    rate = Fraction(facts["rate"])
    factors = " ".join(
        f"× {translated(each['name'])} {number(Fraction(each['by']))}" for each in facts.get("factors", ())
    )
    return ngettext(
        "%(amount)s × %(rate)s point per %(one)s %(factors)s = %(exact)s",
        "%(amount)s × %(rate)s points per %(one)s %(factors)s = %(exact)s",
        1 if rate == 1 else 2,
        amount=money(Money(facts["amount"], facts["currency"])),
        rate=number(rate),
        one=one_major(facts["currency"]),
        factors=factors,
        exact=number(Fraction(facts["exact"])),
    ).replace("  ", " ")


@sentence("purchase.bonus")
def _bonus(facts: Facts) -> str:
    return _("“%(name)s”: %(points)s points more", name=translated(facts["name"]), points=points(facts["points"]))


@sentence("earning.cut")
def _cut(facts: Facts) -> str:
    figures = {
        "most": points(facts["most"]),
        "left": points(facts["left"]),
        "cut": number(Fraction(facts["cut"])),
        "name": translated(facts["name"]) if "name" in facts else "",
    }
    if facts["cap"] == "purchase":
        return _("At most %(most)s points for one purchase: %(cut)s less.", **figures)
    if facts["cap"] == "day":
        return _("At most %(most)s points a day, of which %(left)s were left: %(cut)s less.", **figures)
    if facts["cap"] == "month":
        return _("At most %(most)s points a month, of which %(left)s were left: %(cut)s less.", **figures)
    if facts["cap"] == "total":
        return _("At most %(most)s points for each member, of which %(left)s were left: %(cut)s less.", **figures)
    if figures["name"]:
        return _("“%(name)s” had %(left)s points left to give: %(cut)s less.", **figures)
    return _("There were %(left)s points left to give: %(cut)s less.", **figures)


@sentence("reward")
def _reward(facts: Facts) -> str:
    figures = {"reward": label_of(facts["kind"]), "points": points(facts["points"]), "about": facts["about"]}
    if facts["about"]:
        return _("%(reward)s: %(about)s brings %(points)s points.", **figures)
    return _("%(reward)s: brings %(points)s points.", **figures)


@sentence("milestone")
def _milestone(facts: Facts) -> str:
    return _(
        "“%(name)s”: %(earn)s points earned, and %(points)s on top.",
        name=translated(facts["name"]),
        earn=points(facts["earn"]),
        points=points(facts["points"]),
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
