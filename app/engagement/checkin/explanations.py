"""How a check-in and a make-up card read in the points history."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import points
from app.loyalty.ledger.explanations import Facts, explanation, kind_label, sentence, step

CARD = "make_up_card"
kind_label("checkin", _l("Check-in"))
kind_label(CARD, _l("Make-up card"))


def for_check_in(
    *,
    day: date,
    streak: int,
    made_up: int,
    place: int,
    days: int,
    base: int,
    reward: int,
    next_bonus: int | None,
    life: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """``streak`` is the day of the streak, ``place`` its day of the cycle of so many ``days``; ``next_bonus`` the day
    of the cycle that pays a bonus next. ``life`` is the step that says how long the points live, where that is told."""
    steps = [step("checkin.made_up", days=made_up)] if made_up else []
    steps.append(step("checkin.place", place=place, days=days))
    steps.append(step("checkin.base", points=base))
    if reward > base:
        steps.append(step("checkin.extra", place=place, bonus=reward - base, points=reward))
    elif next_bonus:
        steps.append(step("checkin.later", place=next_bonus))
    if life:
        steps.append(life)
    return explanation("checkin.daily", steps=steps, day=day.isoformat(), streak=streak)


def for_card(*, day: date, number: int, most: int) -> dict[str, Any]:
    steps = [step("checkin.card_number", number=number, most=most), step("checkin.card_effect")]
    return explanation("checkin.card", steps=steps, day=day.isoformat())


@sentence("checkin.daily")
def _daily(facts: Facts) -> str:
    return ngettext("Checked in.", "Checked in %(num)s days in a row.", facts["streak"])


@sentence("checkin.made_up")
def _made_up(facts: Facts) -> str:
    return ngettext(
        "One of these days was made up with a card.",
        "%(num)s of these days were made up with cards.",
        facts["days"],
    )


@sentence("checkin.place")
def _place(facts: Facts) -> str:
    return _("That is day %(place)s of a cycle of %(days)s.", place=facts["place"], days=facts["days"])


@sentence("checkin.base")
def _base(facts: Facts) -> str:
    return ngettext("A check-in pays %(num)s point.", "A check-in pays %(num)s points.", facts["points"])


@sentence("checkin.extra")
def _extra(facts: Facts) -> str:
    return ngettext(
        "Day %(place)s adds a bonus of %(num)s point: %(points)s in all.",
        "Day %(place)s adds a bonus of %(num)s points: %(points)s in all.",
        facts["bonus"],
        place=facts["place"],
        points=points(facts["points"]),
    )


@sentence("checkin.later")
def _later(facts: Facts) -> str:
    return _("This day has no bonus; day %(place)s has one.", place=facts["place"])


@sentence("checkin.card")
def _card(facts: Facts) -> str:
    return _("A make-up card for %(day)s.", day=format_date(date.fromisoformat(facts["day"]), "long"))


@sentence("checkin.card_number")
def _card_number(facts: Facts) -> str:
    return _("Card %(number)s of %(most)s in that month.", number=facts["number"], most=facts["most"])


@sentence("checkin.card_effect")
def _card_effect(_facts: Facts) -> str:
    return _("The day counts for the streak; it pays no points.")


# --- transfers from before the table of rewards ---------------------------------------------


@sentence("checkin.bonus")
def _bonus(facts: Facts) -> str:
    return _(
        "Day %(place)s of %(days)s pays %(multiplier)s times as much: %(points)s points.",
        place=facts["cycle_days"],
        days=facts["cycle_days"],
        multiplier=facts["multiplier"],
        points=facts["points"],
    )


@sentence("checkin.no_bonus")
def _no_bonus(facts: Facts) -> str:
    return _(
        "This was day %(place)s of %(days)s. The last day pays %(multiplier)s times as much.",
        place=facts["place"],
        days=facts["cycle_days"],
        multiplier=facts["multiplier"],
    )
