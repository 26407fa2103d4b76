"""The check-in page: today, the streak, and the month as a picture; and the card that makes up for a missed day."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from babel.dates import format_skeleton, get_day_names
from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.engagement.checkin import actions, cards, queries, rules
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.session import current_member
from app.loyalty.ledger.errors import WalletFrozen
from app.loyalty.ledger.queries import standing

if TYPE_CHECKING:
    from app.identity.members.models import Member

checkin = Blueprint("checkin", __name__)
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
WHOLE = re.compile(r"[0-9]{1,9}")


def _today() -> date:
    return clock.local_date(clock.now(), clock.programme_zone())


def _since(member: Member) -> date:
    return clock.local_date(member.created_at, clock.programme_zone())


# --- checking in --------------------------------------------------------------------------


@checkin.get("/check-in")
@requires(Permission.CHECKIN_OWN)
def show() -> Response:
    member = current_member()
    today, since, days = _today(), _since(member), queries.days_of(member.id)
    earliest = min([since, *days])
    first_day = _month_asked_for(earliest=earliest, latest=today)
    weeks = queries.month(days, first_day, today=today, since=since)
    offered = _cards(days, today=today, since=since) if first_day == today.replace(day=1) else None
    standing_today = queries.today_of(days, today=today)
    return page(
        "engagement/checkin/show.html",
        fragments={"checkin_today", "checkin_month"},
        today=standing_today,
        joy="done" in request.args and standing_today.done,
        month_name=_month_name(first_day),
        weekdays=_weekdays(),
        weeks=[[_cell(day, offered) for day in week] for week in weeks],
        previous=_neighbour(first_day - timedelta(days=1), earliest=earliest, latest=today),
        following=_neighbour(first_day + timedelta(days=31), earliest=earliest, latest=today),
        tally=Counter(day.state for week in weeks for day in week if day),
        cards=offered,
    )


@checkin.post("/check-in")
@requires(Permission.CHECKIN_OWN)
def create() -> BaseResponse:
    """A second click finds the day done and gets the same page as the first."""
    member_id, now = current_member().id, clock.now()
    with transaction():
        actions.check_in(member_id=member_id, now=now)
    return seen(local_url(request.form.get("next"), url_for("portal.checkin.show", done=1)))


def _month_asked_for(*, earliest: date, latest: date) -> date:
    """The first day of ``?month=2026-05``, this month by default; 404 for a month without any day of the member's."""
    text = request.args.get("month")
    if text is None:
        return latest.replace(day=1)
    if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        abort(404)
    year, month = map(int, text.split("-"))
    if not (earliest.year, earliest.month) <= (year, month) <= (latest.year, latest.month):
        abort(404)
    return date(year, month, 1)


# --- the calendar -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MonthLink:
    label: str
    url: str


def _neighbour(day: date, *, earliest: date, latest: date) -> MonthLink | None:
    first_day = day.replace(day=1)
    if not earliest.replace(day=1) <= first_day <= latest:
        return None
    return MonthLink(_month_name(first_day), url_for("portal.checkin.show", month=f"{first_day:%Y-%m}"))


def _month_name(first_day: date) -> str:
    return str(format_skeleton("yMMMM", first_day, locale=get_locale()))


def _weekdays() -> list[tuple[str, str]]:
    short, long = (get_day_names(width, locale=get_locale()) for width in ("short", "wide"))
    return [(short[number], long[number]) for number in range(7)]


@dataclass(frozen=True, slots=True)
class Cards:
    """What the calendar says about make-up cards: ``left`` of ``most`` this month, for these missed ``days``."""

    left: int
    most: int
    price: int
    days: frozenset[date]


def _cards(days: rules.Days, *, today: date, since: date) -> Cards | None:
    """``None`` where there is nothing to say: no cards in this programme, or nothing missed and none used."""
    terms, used = current(CheckinTerms), cards.used(days, today)
    missed = cards.missed(days, today=today, since=since)
    if not terms.cards_a_month or not (missed or used):
        return None
    left = max(0, terms.cards_a_month - used)
    return Cards(left, terms.cards_a_month, terms.card_price, missed if left else frozenset())


@dataclass(frozen=True, slots=True)
class Cell:
    """A day as the calendar draws it; ``url`` leads to the card that makes up for it."""

    number: int
    state: str
    label: str
    reward: str | None
    url: str | None


def _cell(day: rules.CalendarDay | None, offered: Cards | None) -> Cell | None:
    if day is None:
        return None
    open_to_card = offered is not None and day.day in offered.days
    return Cell(
        number=day.day.day,
        state=day.state,
        label=_in_words(day, offered=open_to_card),
        reward=points(day.points, sign=True) if day.state == "today" else None,
        url=url_for("portal.checkin.new_card", day=day.day) if open_to_card else None,
    )


def _in_words(day: rules.CalendarDay, *, offered: bool) -> str:
    worth = ngettext("%(num)s point", "%(num)s points", day.points)
    states = {
        "done": _("checked in, %(points)s", points=worth),
        "made_up": _("made up with a card"),
        "today": _("today, %(points)s to collect", points=worth),
        "missed": _("missed, make up for it") if offered else _("missed"),
        "past": _("before you joined"),
        "future": _("still to come"),
        "bonus": _("bonus day, %(points)s", points=worth),
    }
    return _("%(day)s: %(state)s", day=format_date(day.day, "long"), state=states[day.state])


# --- make-up cards ------------------------------------------------------------------------


@checkin.get("/check-in/cards/new")
@requires(Permission.CHECKIN_OWN)
def new_card() -> ResponseReturnValue:
    return _confirmation(_day_asked_for(request.args))


@checkin.post("/check-in/cards")
@requires(Permission.CHECKIN_OWN)
def create_card() -> ResponseReturnValue:
    """A second click finds the day made up, and pays nothing again."""
    member, day = current_member(), _day_asked_for(request.form)
    told = request.form.get("price", "")
    price = Points(int(told) if WHOLE.fullmatch(told) else 0)
    try:
        with transaction():
            made = actions.make_up(member_id=member.id, day=day, since=_since(member), price=price, now=clock.now())
    except DomainError as refusal:
        return _confirmation(day, refusal)
    flash(_made_up_in_words(day, made.streak) if made.created else _already_there(day), "success")
    return seen(url_for("portal.checkin.show"))


def _confirmation(day: date, refusal: DomainError | None = None) -> ResponseReturnValue:
    """The card in figures, and the button; or back to the calendar with the sentence why there is none."""
    member, today = current_member(), _today()
    days = queries.days_of(member.id)
    if day in days:
        flash(_already_there(day), "success")
        return seen(url_for("portal.checkin.show"))
    try:
        offer = cards.offer(day, days, today=today, since=_since(member), terms=current(CheckinTerms))
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for("portal.checkin.show"))
    account = standing(member.id, now=clock.now())
    have = max(0, int(account.available))
    lacking = max(0, offer.price - have)
    return page(
        "engagement/checkin/new_card.html",
        status=refusal.status if refusal else 200,
        day=format_date(day, "full"),
        offer=offer,
        figures=_sum(offer, have),
        frozen=str(WalletFrozen()) if account.frozen else None,
        lacking=None if account.frozen else lacking,
        have=min(have, offer.price),
        have_text=f"{points(have)} / {points(offer.price)}",
        refused=str(refusal) if refusal and not (account.frozen or lacking) else None,
        asked={"day": day, "price": offer.price},
        create_url=url_for("portal.checkin.create_card"),
        calendar_url=url_for("portal.checkin.show"),
        checkin_url=None if today in days else url_for("portal.checkin.show"),
        programme_url=url_for("portal.programme.show"),
    )


def _sum(offer: cards.Offer, have: int) -> list[tuple[str, ...]]:
    card = _("Make-up card %(number)s of %(most)s this month", number=offer.number, most=offer.most)
    rows: list[tuple[str, ...]] = [(_("Points you have"), points(have)), (card, points(-offer.price), "minus")]
    if have >= offer.price:
        rows.append((_("Points you keep"), points(have - offer.price), "total"))
    return rows


def _made_up_in_words(day: date, streak: int) -> str:
    made_up = _("%(day)s is made up.", day=format_date(day, "long"))
    if not streak:
        return made_up
    return ngettext(
        "%(day)s is made up. Your streak is %(num)s day now.",
        "%(day)s is made up. Your streak is %(num)s days now.",
        streak,
        day=format_date(day, "long"),
    )


def _already_there(day: date) -> str:
    return _("You have %(day)s already; nothing was paid for it again.", day=format_date(day, "long"))


def _day_asked_for(asked: Mapping[str, str]) -> date:
    """404 for anything that is no day."""
    text = asked.get("day", "")
    try:
        return date.fromisoformat(text) if ISO_DAY.fullmatch(text) else abort(404)
    except ValueError:
        abort(404)
