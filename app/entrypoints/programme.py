"""The public page of the programme: its tiers, how to earn, where to spend, how long points live.

It tells about several domains at once, so it stands at the door rather than in one of them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from babel.dates import format_skeleton
from flask import Blueprint, Response
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from app.engagement.checkin.statements import cycle_sentence
from app.engagement.checkin.terms import CheckinTerms
from app.engagement.referrals.queries import offer
from app.foundation import clock
from app.foundation.formats import points, short_money
from app.foundation.languages import translated
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.session import current_member
from app.identity.units.queries import all_units
from app.loyalty.benefits.statements import benefits_by_tier
from app.loyalty.earning import queries as earning
from app.loyalty.earning.rules import Bonus, PurchaseRule, Rate
from app.loyalty.earning.statements import (
    bonus_condition,
    bonus_sentence,
    campaigns_in_words,
    place,
    promise,
    rate_text,
)
from app.loyalty.ledger.explanations import explain, lives
from app.loyalty.ledger.terms import LedgerTerms
from app.loyalty.tiers import queries as tiers
from app.loyalty.tiers.statements import ladder_cards

programme = Blueprint("programme", __name__, url_prefix="/programme")
LEAP_YEAR = 2024  # The year is not shown; it only has to know a 29 February.


@dataclass(frozen=True, slots=True)
class Way:
    """One way to earn, ready to show."""

    title: str
    text: str
    badge: str
    picture: str
    tone: str


@programme.get("")
@public
def show() -> Response:
    now, kind = clock.now(), viewer().kind
    rule, welcome = earning.purchase_rule(now), earning.welcome_points(now)
    units = [unit for unit in all_units() if unit.active]
    standing = tiers.progress(current_member().id, now=now) if kind == "member" else None
    ladder = tiers.ladder()
    return page(
        "programme/show.html",
        promise=promise(rule),
        visitor=kind == "visitor",
        member=kind == "member",
        welcome=int(welcome),
        ways=_ways(rule, welcome, {unit.code: translated(unit.name) for unit in units}, now),
        cards=ladder_cards(ladder, standing, benefits=benefits_by_tier(ladder, now=now)),
        units=[translated(unit.name) for unit in units],
        expiry=_expiry(current(LedgerTerms), now),
    )


def _ways(rule: PurchaseRule, welcome: Points, units: Mapping[str, str], now: datetime) -> list[Way]:
    """What earns points today; what pays nothing is not mentioned."""
    table, local = current(CheckinTerms).table, now.astimezone(clock.programme_zone()).replace(tzinfo=None)
    ways = [
        Way(
            _("Shop and dine"),
            _("In every shop of the group and in the points mall. Purchases count from the money really paid."),
            rate_text(rule.rates[-1].points),
            "shopping-bags",
            "brand",
        ),
        *(_special(rate, units) for rate in rule.rates[:-1]),
        *(
            Way(
                each.name, f"{each.rule} {each.time}", each.badge, "party-popper" if each.now else "hourglass", "violet"
            )
            for each in campaigns_in_words(rule, local, units)
        ),
        *(_bonus(bonus) for bonus in rule.bonuses),
        Way(_("Check in every day"), cycle_sentence(table), points(min(table), sign=True), "calendar", "gold"),
    ]
    invitation = offer()
    if invitation.inviter_points:
        ways.append(
            Way(
                _("Invite friends"),
                _(
                    "When your friend joins and spends %(amount)s with us. Your friend gets %(points)s, too.",
                    amount=short_money(invitation.least_spend),
                    points=points(invitation.friend_points, sign=True),
                )
                if invitation.friend_points
                else _(
                    "When your friend joins and spends %(amount)s with us.", amount=short_money(invitation.least_spend)
                ),
                points(invitation.inviter_points, sign=True),
                "handshake",
                "info",
            )
        )
    if welcome:
        ways.append(
            Way(
                _("Welcome gift"),
                _("On the day you join, before your first purchase."),
                points(welcome, sign=True),
                "gift",
                "violet",
            )
        )
    return ways


def _special(rate: Rate, units: Mapping[str, str]) -> Way:
    """A rate of its own for a unit, a category or an article."""
    return Way(place(rate.scope, units), _("A rate of its own."), rate_text(rate.points), "sparkles", "info")


def _bonus(bonus: Bonus) -> Way:
    text = " ".join(filter(None, (bonus_sentence(bonus), bonus_condition(bonus))))
    return Way(translated(bonus.name), text, points(bonus.points, sign=True), "trophy", "gold")


def _expiry(terms: LedgerTerms, now: datetime) -> str:
    if terms.expiry == "never":
        return _("Points never expire.")
    if terms.expiry == "inactivity":
        return explain(lives(terms.policy(), now))[0]
    if terms.expiry == "yearly":
        last = monthrange(LEAP_YEAR, terms.expiry_month)[1]
        day = date(LEAP_YEAR, terms.expiry_month, min(terms.expiry_day, last))
        return _(
            "Points are valid to the end of %(day)s each year.", day=format_skeleton("MMMMd", day, locale=get_locale())
        )
    return ngettext(
        "Points are valid to the end of the month, %(num)s month after you earned them.",
        "Points are valid to the end of the month, %(num)s months after you earned them.",
        terms.expiry_months,
    )
