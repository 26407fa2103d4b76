"""The first page: how a member stands, today's check-in, what comes next. Visitors are shown the programme.

It stands on the engagement floor because it composes everything below it; what higher
floors want to show here is included by its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.engagement.home.queries import Overview, overview
from app.engagement.home.rules import Situation, Suggestion, suggest
from app.engagement.referrals.queries import offer
from app.engagement.referrals.statements import promise
from app.foundation import clock
from app.foundation.formats import day, points
from app.foundation.kept import kept
from app.foundation.languages import translated
from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.identity.members.queries import profile_complete
from app.identity.session import current_member
from app.loyalty.benefits.statements import gift_card
from app.loyalty.tiers.statements import place_of
from app.mall.catalog.statements import card_of
from app.mall.orders.statements import underway

if TYPE_CHECKING:
    from app.identity.members.models import Member
    from app.loyalty.tiers.statements import Place

home = Blueprint("home", __name__)
MORNING, NOON, EVENING = 5, 12, 18


@home.get("/")
@public
@kept
def show() -> ResponseReturnValue:
    if viewer().kind != "member":
        return redirect(url_for("portal.programme.show"))
    member, now = current_member(), clock.now()
    seen = overview(member, now=now)
    tier = place_of(seen.progress)
    return page(
        "engagement/home/show.html",
        fragments={"home"},
        greeting=greeting(member.name, now),
        name=member.label,
        code=member.code,
        standing=seen.standing,
        note=hero_note(seen),
        tier=tier,
        today=seen.today,
        joy="done" in request.args and seen.today.done,
        lines=seen.lines,
        invitation=promise(offer()),
        gifts=[gift_card(each) for each in seen.gifts],
        orders=[underway(order) for order in seen.orders],
        picks=[card_of(pick, seen.standing.available) for pick in seen.picks],
        next_steps=[NextStep.of(each, seen, tier) for each in suggest(situation(member, seen))],
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
    if standing.frozen:
        return _("This account is frozen. Please contact us.")
    if standing.debt:
        return _("%(points)s points are still open after a return.", points=points(standing.debt))
    if standing.expiring_soon and standing.expiring_on:
        return _(
            "%(points)s points expire after %(day)s",
            points=points(standing.expiring_soon),
            day=day(standing.expiring_on),
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
        profile_complete=profile_complete(member),
    )


# --- what to do next --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NextStep:
    """One suggestion: what, why, and the page where it is done."""

    title: str
    text: str
    url: str
    picture: str
    tone: str

    @classmethod
    def of(cls, suggestion: Suggestion, seen: Overview, tier: Place) -> NextStep:
        standing = seen.standing
        pick = seen.picks[0] if seen.picks else None
        goal = translated(pick.name) if pick else ""
        lacking = points(pick.points.value - standing.available.value) if pick else ""
        expiring, last = (
            points(standing.expiring_soon),
            day(standing.expiring_on) if standing.expiring_on else "",
        )
        open_url = next((order.number for order in seen.orders if order.state == "placed"), "")
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
                tier.goal,
                _("See what %(tier)s brings you.", tier=tier.next_name),
                url_for("portal.tiers.show"),
                "crown",
                "gold",
            ),
            "profile": lambda: cls(
                _("Complete your profile"),
                _("So that we can find you at the till."),
                url_for("portal.profile.edit"),
                "pencil",
                "info",
            ),
            "save_up": lambda: cls(
                _("%(points)s points to %(product)s", points=lacking, product=goal),
                _("Check in daily and shop: you are getting there."),
                url_for("portal.mall.index"),
                "bullseye",
                "violet",
            ),
        }
        return options[suggestion]()
