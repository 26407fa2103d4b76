"""Referrals ready to be read: by the inviter, who learns little of what friends do, and by colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.engagement.referrals.rules import STEPS, Spent, first_name, masked
from app.foundation import clock
from app.foundation.formats import money, points, short_money
from app.foundation.money import Money, programme_currency

if TYPE_CHECKING:
    from app.engagement.referrals.models import Referral
    from app.engagement.referrals.queries import Offer

STATE_LABELS = {
    "joined": _l("In progress"),
    "rewarded": _l("Rewarded"),
    "lapsed": _l("Out of time"),
    "refused": _l("Refused"),
}
STATE_TONES = {"joined": "info", "rewarded": "brand", "lapsed": "neutral", "refused": "gold"}
REASON_LABELS = {
    "contact": _l("Same mailbox"),
    "device": _l("Same device"),
    "existing": _l("Customer before"),
    "loop": _l("Invited in a circle"),
    "cap": _l("Over the month’s limit"),
}


@dataclass(frozen=True, slots=True)
class Friend:
    """A friend as the inviter sees them. ``done`` of ``steps`` is how far they have come, ``way`` where they stand."""

    name: str
    joined: str
    badge: str
    tone: str
    note: str
    amount: str | None
    done: int
    steps: int
    open: bool
    way: list[dict[str, Any]]


def friendly_name(name: str) -> str:
    """What a stranger reads who followed a member's link."""
    return first_name(name) or _("A friend")


def promise(offer: Offer) -> str:
    """What an invitation brings, in one sentence; for pages that lead here."""
    if offer.inviter_points and offer.friend_points:
        return _(
            "%(mine)s points for you, %(theirs)s for your friend.",
            mine=points(offer.inviter_points),
            theirs=points(offer.friend_points),
        )
    if offer.inviter_points:
        return ngettext("%(num)s point for every friend.", "%(num)s points for every friend.", offer.inviter_points)
    return _("Share what you like.")


def friend_of(referral: Referral, name: str, spent: Spent, *, now: datetime) -> Friend:
    done = STEPS if referral.state == "rewarded" else spent.steps(referral.least_spend)
    badge, tone, note = _words(referral, done, now)
    return Friend(
        name=masked(name) or _("A friend"),
        joined=_("joined on %(day)s", day=_day(referral.joined_at)),
        badge=badge,
        tone=tone,
        note=note,
        amount=points(referral.inviter_points, sign=True) if referral.state == "rewarded" else None,
        done=done,
        steps=STEPS,
        open=referral.state == "joined",
        way=_way(referral.state, done),
    )


@dataclass(frozen=True, slots=True)
class Welcome:
    """To somebody who came by an invitation: what is still to do. Here the amounts are their own."""

    text: str
    progress: str
    done: int
    needed: int


def welcome_of(referral: Referral | None, spent: Spent | None, *, now: datetime) -> Welcome | None:
    """``None`` for who came by themselves, and once there is nothing left to do."""
    if referral is None or spent is None or referral.state != "joined" or not referral.friend_points:
        return None
    total, currency = spent.certain + spent.waiting, programme_currency()
    if now >= referral.spend_by and total < referral.least_spend:
        return None
    least, gift = short_money(Money(referral.least_spend, currency)), points(referral.friend_points)
    if total >= referral.least_spend:
        text = _("Done! %(points)s points are yours once nothing can be sent back any more.", points=gift)
    else:
        last = _day(referral.spend_by - timedelta(seconds=1))
        text = _("Spend %(amount)s by %(day)s, and %(points)s points are yours.", amount=least, day=last, points=gift)
    reached = money(Money(min(total, referral.least_spend), currency))
    return Welcome(text, f"{reached} / {least}", min(total, referral.least_spend), referral.least_spend)


def _words(referral: Referral, done: int, now: datetime) -> tuple[str, str, str]:
    """Badge, its tone, and a sentence. Why something does not count is between us and whom it concerns."""
    if referral.state == "rewarded":
        return _("Rewarded"), "brand", ""
    if referral.state == "refused":
        full = referral.reason == "cap"
        elsewhere = _("An invitation counts for somebody who is new here. See below how it works.")
        note = _("This month’s limit was reached. Next month counts again.") if full else elsewhere
        return _("Not counted"), "neutral", note
    if done == STEPS:
        return _("Nearly there"), "gold", _("Enough has been spent. It counts once nothing can be sent back any more.")
    if referral.state == "lapsed" or now >= referral.spend_by:
        return _("Out of time"), "neutral", _("The time to shop ran out.")
    days = (referral.spend_by - now).days
    left = ngettext("%(num)s day left to shop.", "%(num)s days left to shop.", days)
    return _("In progress"), "info", left if days else _("This is the last day to shop.")


def _way(state: str, done: int) -> list[dict[str, Any]]:
    """Invited → joined → shopped → rewarded, for the row of steps."""
    shopped = "done" if done == STEPS else "now"
    last = "done" if state == "rewarded" else "now" if done == STEPS else "next"
    return [
        {"label": _("Invited"), "state": "done"},
        {"label": _("Joined"), "state": "done"},
        {"label": _("Shopped"), "state": shopped},
        {"label": _("Rewarded"), "state": last},
    ]


def _day(moment: datetime) -> str:
    return str(format_date(clock.local_date(moment, clock.programme_zone()), "medium"))
