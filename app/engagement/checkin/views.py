"""The check-in page: today, the streak, and the month as a picture."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_skeleton, get_day_names
from flask import Blueprint, Response, abort, request, url_for
from flask_babel import format_date, get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from app.engagement.checkin import queries
from app.engagement.checkin.actions import check_in
from app.engagement.checkin.rules import CalendarDay
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import points
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member

checkin = Blueprint("checkin", __name__)


@checkin.get("/check-in")
@requires(Permission.CHECKIN_OWN)
def show() -> Response:
    member, zone = current_member(), clock.programme_zone()
    today, since = clock.local_date(clock.now(), zone), clock.local_date(member.created_at, zone)
    days = queries.days_of(member.id)
    earliest = min([since, *days])
    first_day = _month_asked_for(earliest=earliest, latest=today)
    weeks = queries.month(days, first_day, today=today, since=since)
    return page(
        "engagement/checkin/show.html",
        fragments={"checkin_today", "checkin_month"},
        today=queries.today_of(days, today=today),
        month_name=_month_name(first_day),
        weekdays=_weekdays(),
        weeks=[[_cell(day) for day in week] for week in weeks],
        previous=_neighbour(first_day - timedelta(days=1), earliest=earliest, latest=today),
        following=_neighbour(first_day + timedelta(days=31), earliest=earliest, latest=today),
        checked_in=sum(day.state == "done" for week in weeks for day in week if day),
    )


@checkin.post("/check-in")
@requires(Permission.CHECKIN_OWN)
def create() -> BaseResponse:
    """A second click finds the day done and gets the same page as the first."""
    member_id, now = current_member().id, clock.now()
    with transaction():
        check_in(member_id=member_id, now=now)
    return seen(local_url(request.form.get("next"), url_for("portal.checkin.show")))


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
class Cell:
    """A day as the calendar draws it."""

    number: int
    state: str
    label: str
    reward: str | None


def _cell(day: CalendarDay | None) -> Cell | None:
    if day is None:
        return None
    reward = points(day.points, sign=True) if day.state == "today" else None
    return Cell(day.day.day, day.state, _in_words(day), reward)


def _in_words(day: CalendarDay) -> str:
    worth = ngettext("%(num)s point", "%(num)s points", day.points)
    states = {
        "done": _("checked in, %(points)s", points=worth),
        "today": _("today, %(points)s to collect", points=worth),
        "missed": _("missed"),
        "past": _("before you joined"),
        "future": _("still to come"),
        "bonus": _("bonus day, %(points)s", points=worth),
    }
    return _("%(day)s: %(state)s", day=format_date(day.day, "long"), state=states[day.state])
