"""The public page of the programme: its tiers, how to earn, where to spend, how long points live.

It tells about several domains at once, so it stands at the door rather than in one of them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from babel.dates import format_skeleton
from flask import Blueprint, Response
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from app.engagement.checkin.terms import CheckinTerms
from app.engagement.referrals.queries import offer
from app.foundation import clock
from app.foundation.formats import points, short_money
from app.foundation.languages import translated
from app.foundation.money import programme_currency
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.session import current_member
from app.identity.units.queries import all_units
from app.loyalty.benefits.statements import benefits_by_tier
from app.loyalty.earning import queries as earning
from app.loyalty.earning.explanations import number, one_major
from app.loyalty.earning.rules import PurchaseRule, Rate
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
        promise=_promise(rule),
        visitor=kind == "visitor",
        member=kind == "member",
        welcome=int(welcome),
        ways=_ways(rule, welcome, {unit.code: translated(unit.name) for unit in units}),
        cards=ladder_cards(ladder, standing, benefits=benefits_by_tier(ladder, now=now)),
        units=[translated(unit.name) for unit in units],
        expiry=_expiry(current(LedgerTerms), now),
    )


def _promise(rule: PurchaseRule) -> str:
    return _("Every %(money)s brings you %(points)s.", money=_one(), points=_points(rule.rates[-1].points))


def _one() -> str:
    return one_major(programme_currency())


def _points(amount: Fraction) -> str:
    return ngettext("%(amount)s point", "%(amount)s points", 1 if amount == 1 else 2, amount=number(amount))


def _ways(rule: PurchaseRule, welcome: Points, units: Mapping[str, str]) -> list[Way]:
    """What earns points today; what pays nothing is not mentioned."""
    checkin = current(CheckinTerms)
    everything = rule.rates[-1].points
    ways = [
        Way(
            _("Shop and dine"),
            _("In every shop of the group and in the points mall. Purchases count from the money really paid."),
            _("%(points)s per %(money)s", points=_points(everything), money=_one()),
            "shopping-bags",
            "brand",
        ),
        *(_special(rate, units) for rate in rule.rates[:-1]),
        Way(_("Check in every day"), _streak(checkin.table), points(min(checkin.table), sign=True), "calendar", "gold"),
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
    place = " · ".join(
        filter(None, (units.get(rate.scope.unit or "", rate.scope.unit), rate.scope.category, rate.scope.sku))
    )
    badge = _("%(points)s per %(money)s", points=_points(rate.points), money=_one())
    return Way(place, _("A rate of its own."), badge, "sparkles", "info")


def _streak(table: Sequence[int]) -> str:
    """``table`` is what each day in a row pays. Told is the best of them, and the day on which it comes first."""
    best = max(table)
    if best == min(table):
        return _("Once a day, in the app.")
    return ngettext(
        "Once a day. Day %(day)s in a row pays %(num)s point; after day %(last)s it starts again.",
        "Once a day. Day %(day)s in a row pays %(num)s points; after day %(last)s it starts again.",
        best,
        day=table.index(best) + 1,
        last=len(table),
    )


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
