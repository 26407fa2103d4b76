"""The first page: how a member stands, today's check-in, what comes next. Visitors are shown the programme.

It stands on the engagement floor because it composes everything below it; what higher
floors want to show here is included by its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from app.engagement.home.queries import Overview, overview
from app.engagement.home.rules import Situation, Suggestion, suggest
from app.foundation import clock
from app.foundation.formats import points, short_money
from app.foundation.languages import translated
from app.foundation.money import Money
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.identity.session import current_member
from app.loyalty.tiers.queries import ConditionProgress, TierProgress
from app.mall.catalog.queries import Pick, picture_url
from app.mall.orders.queries import OpenOrder

if TYPE_CHECKING:
    from app.identity.members.models import Member

home = Blueprint("home", __name__)
MORNING, NOON, EVENING = 5, 12, 18
TINTS = 8


@home.get("/")
@public
def show() -> ResponseReturnValue:
    if viewer().kind != "member":
        return redirect(url_for("portal.programme.show"))
    member, now = current_member(), clock.now()
    seen = overview(member.id, now=now)
    return page(
        "engagement/home/show.html",
        fragments={"home"},
        greeting=greeting(member.name, now),
        name=member.name or member.code,
        code=member.code,
        standing=seen.standing,
        note=hero_note(seen),
        tier=TierView.of(seen.progress),
        today=seen.today,
        lines=seen.lines,
        orders=[OrderView.of(order) for order in seen.orders],
        picks=[PickView.of(pick, seen.standing.available.value) for pick in seen.picks],
        next_steps=[NextStep.of(each, seen) for each in suggest(situation(member, seen))],
    )


def greeting(name: str, now: datetime) -> str:
    """By the hour in the programme's timezone."""
    hour = now.astimezone(clock.programme_zone()).hour
    if MORNING <= hour < NOON:
        return _("Good morning, %(name)s", name=name) if name else _("Good morning")
    if NOON <= hour < EVENING:
        return _("Good afternoon, %(name)s", name=name) if name else _("Good afternoon")
    return _("Good evening, %(name)s", name=name) if name else _("Good evening")


def hero_note(seen: Overview) -> str | None:
    standing = seen.standing
    if standing.debt:
        return _("%(points)s points are still open after a return.", points=points(standing.debt))
    if standing.expiring_soon and standing.expiring_on:
        return _(
            "%(points)s points expire after %(day)s",
            points=points(standing.expiring_soon),
            day=format_date(standing.expiring_on, "medium"),
        )
    return None


def situation(member: Member, seen: Overview) -> Situation:
    nearest = seen.progress.nearest if seen.progress and seen.progress.next_tier else None
    return Situation(
        unpaid_order=any(order.state == "placed" for order in seen.orders),
        available=seen.standing.available.value,
        expiring=seen.standing.expiring_soon.value,
        reach=seen.picks[0].points.value if seen.picks else None,
        tier_share=nearest.share if nearest else None,
        profile_complete=bool(member.name and member.birth_date and member.email and member.phone),
    )


# --- the tier ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """One condition of the next tier as a bar."""

    label: str
    value: int
    maximum: int
    text: str


@dataclass(frozen=True, slots=True)
class TierView:
    name: str
    rank: int
    next_name: str | None
    value: int
    maximum: int
    text: str | None
    sentence: str
    ways: list[Way]
    any_of: bool

    @classmethod
    def of(cls, progress: TierProgress | None) -> TierView:
        if progress is None:
            return cls(_("Member"), 0, None, 0, 0, None, "", [], False)
        name, rank, above, nearest = (
            translated(progress.tier.name),
            progress.tier.rank,
            progress.next_tier,
            progress.nearest,
        )
        if above is None or nearest is None:
            return cls(name, rank, None, 0, 0, None, "", [], False)
        ways = [Way(_metric(each), each.reached, each.needed, _so_far(each)) for each in progress.conditions]
        several = progress.match == "any" and len(ways) > 1
        goal = translated(above.name)
        return cls(
            name, rank, goal, nearest.reached, nearest.needed, _short(nearest), _missing(nearest, goal), ways, several
        )


def _metric(each: ConditionProgress) -> str:
    names = {
        "spend": _("Spent"),
        "purchases": _("Purchases"),
        "points_earned": _("Points earned"),
        "growth": _("Growth value"),
    }
    return names[each.metric]


def _amount(metric: str, number: int) -> str:
    if metric == "spend":
        return short_money(Money(number, current_app.config["SETTINGS"].currency))
    return points(number)


def _so_far(each: ConditionProgress) -> str:
    return f"{_amount(each.metric, each.reached)} / {_amount(each.metric, each.needed)}"


def _short(each: ConditionProgress) -> str:
    """Beside the name of the tier, on the member's card."""
    amount = _amount(each.metric, each.missing)
    if each.metric == "spend":
        return _("Spend %(amount)s more", amount=amount)
    if each.metric == "purchases":
        return ngettext("%(num)s more purchase", "%(num)s more purchases", each.missing)
    return _("Earn %(amount)s more points", amount=amount)


def _missing(each: ConditionProgress, tier: str) -> str:
    amount = _amount(each.metric, each.missing)
    if each.metric == "spend":
        return _("Spend %(amount)s more to become %(tier)s", amount=amount, tier=tier)
    if each.metric == "purchases":
        return ngettext(
            "%(num)s more purchase to become %(tier)s",
            "%(num)s more purchases to become %(tier)s",
            each.missing,
            tier=tier,
        )
    return _("Earn %(amount)s more points to become %(tier)s", amount=amount, tier=tier)


# --- orders, products, what to do next --------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderView:
    name: str
    url: str
    picture: str
    state: str
    tone: str

    @classmethod
    def of(cls, order: OpenOrder) -> OrderView:
        states = {
            "placed": (_("Waiting for your payment"), "warning"),
            "paid": (_("Being prepared"), "info"),
            "packed": (_("Packed"), "info"),
            "shipped": (_("On its way to you"), "brand"),
        }
        state, tone = states[order.state]
        url = url_for("portal.orders.show", number=order.number)
        return cls(translated(order.name), url, picture_url(order.picture) or "gift", state, tone)


@dataclass(frozen=True, slots=True)
class PickView:
    name: str
    url: str
    picture: str
    photo: bool
    price: str
    note: str
    tone: str
    tint: int

    @classmethod
    def of(cls, pick: Pick, available: int) -> PickView:
        lacking = pick.points.value - available
        picture = picture_url(pick.picture)
        return cls(
            translated(pick.name),
            url_for("portal.mall.show", slug=pick.slug),
            picture or "gift",
            picture is not None,
            points(pick.points),
            _("%(points)s points to go", points=points(lacking)) if lacking > 0 else _("Within your points"),
            "gold" if lacking > 0 else "brand",
            pick.id % TINTS + 1,
        )


@dataclass(frozen=True, slots=True)
class NextStep:
    """One suggestion: what, why, and the page where it is done."""

    title: str
    text: str
    url: str
    picture: str
    tone: str

    @classmethod
    def of(cls, suggestion: Suggestion, seen: Overview) -> NextStep:
        standing, tier = seen.standing, TierView.of(seen.progress)
        pick = seen.picks[0] if seen.picks else None
        goal = translated(pick.name) if pick else ""
        lacking = points(pick.points.value - standing.available.value) if pick else ""
        expiring, last = (
            points(standing.expiring_soon),
            format_date(standing.expiring_on) if standing.expiring_on else "",
        )
        open_url = next((order.number for order in seen.orders if order.state == "placed"), "")
        mall, ladder = url_for("portal.mall.index"), url_for("portal.tiers.show")
        options = {
            "pay_order": lambda: cls(
                _("Finish your order"),
                _("Its points are set aside until it is paid."),
                url_for("portal.orders.show", number=open_url),
                "hourglass",
                "gold",
            ),
            "expiring": lambda: cls(
                _("Use %(points)s points by %(day)s", points=expiring, day=last),
                _("What expires first is spent first."),
                url_for("portal.mall.index", within="yes"),
                "alarm-clock",
                "danger",
            ),
            "redeem": lambda: cls(
                _("Your points are enough for %(product)s", product=goal),
                _("See everything within your points."),
                url_for("portal.mall.index", within="yes"),
                "gift",
                "brand",
            ),
            "next_tier": lambda: cls(
                tier.sentence, _("See what %(tier)s brings you.", tier=tier.next_name), ladder, "crown", "gold"
            ),
            "profile": lambda: cls(
                _("Complete your profile"),
                _("So that we can find you at the till and wish you a happy birthday."),
                url_for("portal.profile.edit"),
                "pencil",
                "info",
            ),
            "save_up": lambda: cls(
                _("%(points)s points to %(product)s", points=lacking, product=goal),
                _("Check in daily and shop: you are getting there."),
                mall,
                "bullseye",
                "violet",
            ),
        }
        return options[suggestion]()
