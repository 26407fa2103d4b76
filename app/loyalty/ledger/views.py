"""The member's points pages: what there is, what expires when, and every line with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any, get_args

from babel.dates import format_skeleton
from babel.numbers import format_compact_decimal
from flask import Blueprint, Response, abort, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.languages import translated
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.foundation.points import Points
from app.identity.session import current_member
from app.identity.units.queries import all_units
from app.loyalty.ledger import queries
from app.loyalty.ledger.queries import Show
from app.loyalty.ledger.statements import Line, lines_of

if TYPE_CHECKING:
    from app.identity.units.models import Unit

points = Blueprint("points", __name__)

PAGE = 20
CHART_MONTHS = 12
LARGEST_ID = 2**63 - 1
PERIODS = {"month": 1, "quarter": 3, "year": 12}


@points.get("/points")
@requires(Permission.POINTS_OWN)
def index() -> Response:
    member_id, now, units = current_member().id, clock.now(), all_units()
    wanted = _filter(units)
    found = queries.history(
        member_id,
        show=wanted.show,
        unit_id=wanted.unit_id,
        since=_since(wanted.period, now),
        before=wanted.before,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    older = url_for(".index", **wanted.link(before=str(shown[-1].sequence))) if len(found) > PAGE else None
    return page(
        "loyalty/ledger/index.html",
        fragments={"history", "more"},
        standing=queries.standing(member_id, now=now),
        outlook=_outlook(queries.expiring_by_day(member_id, now=now), now),
        months=_by_month(lines_of(shown, units={unit.id: unit.name for unit in units})),
        filters=_filters(wanted, units),
        filtered=wanted.link() != {},
        show=wanted.show,
        older_url=older,
        is_first=wanted.before is None,
    )


@points.get(f"/points/<int(max={LARGEST_ID}):transfer_id>")
@requires(Permission.POINTS_OWN)
def show(transfer_id: int) -> Response:
    transfer = queries.transfer_of(current_member().id, transfer_id) or abort(404)
    return page("loyalty/ledger/show.html", transfer=transfer, line=lines_of([transfer])[0])


@dataclass(frozen=True, slots=True)
class Month:
    name: str
    lines: list[Line]


def _by_month(lines: Sequence[Line]) -> list[Month]:
    months = groupby(lines, key=lambda line: line.day.replace(day=1))
    return [Month(_month_name(first, "yMMMM"), list(group)) for first, group in months]


def _month_name(first: date, skeleton: str) -> str:
    return str(format_skeleton(skeleton, first, locale=get_locale()))


# --- what expires when --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """A month of the chart. ``height`` is a percentage of the greatest one."""

    name: str
    text: str
    height: int


@dataclass(frozen=True, slots=True)
class Expiring:
    day: date
    points: Points


@dataclass(frozen=True, slots=True)
class Outlook:
    bars: list[Bar]
    days: list[Expiring]


def _outlook(days: Sequence[tuple[date, Points]], now: datetime) -> Outlook | None:
    """What expires in the coming twelve months as a chart, and everything that expires as a list."""
    if not days:
        return None
    today = clock.local_date(now, clock.programme_zone())
    totals = {_months_later(today, n): 0 for n in range(CHART_MONTHS + 1)}
    for day, amount in days:
        if day.replace(day=1) in totals:
            totals[day.replace(day=1)] += amount.value
    if totals[today.replace(day=1)] == 0:
        totals.pop(today.replace(day=1))
    top = max(totals.values()) or 1
    bars = [
        Bar(_month_name(first, "MMM"), _short(total) if total else "", max(round(100 * total / top), 2 if total else 0))
        for first, total in list(totals.items())[:CHART_MONTHS]
    ]
    return Outlook(bars, [Expiring(day, amount) for day, amount in days])


def _months_later(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def _short(number: int) -> str:
    return str(format_compact_decimal(number, locale=get_locale(), fraction_digits=1))


# --- filters ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Filter:
    show: Show
    unit: str
    unit_id: int | None
    period: str
    before: int | None

    def link(self, **changes: str) -> dict[str, Any]:
        """The query of a link that keeps this filter but for ``changes``; defaults are left out."""
        values = {"show": self.show, "unit": self.unit, "period": self.period, **changes}
        return {name: value for name, value in values.items() if value and value != "all"}


def _filter(units: Sequence[Unit]) -> Filter:
    """What the address asks for. 404 for a filter that does not exist."""
    show, unit, period = (request.args.get(name, "") for name in ("show", "unit", "period"))
    ids = {each.code: each.id for each in units}
    before = request.args.get("before", "")
    if (
        show not in ("", *get_args(Show))
        or period not in ("", *PERIODS)
        or (unit and unit not in ids)
        or not re.fullmatch(r"[0-9]{0,18}", before)
    ):
        abort(404)
    return Filter(show or "all", unit, ids.get(unit), period, int(before) if before else None)  # type: ignore[arg-type]


def _since(period: str, now: datetime) -> datetime | None:
    """The first moment of this month, or of the month 2 or 11 months before it."""
    if not period:
        return None
    zone = clock.programme_zone()
    return clock.start_of(_months_later(clock.local_date(now, zone), 1 - PERIODS[period]), zone)


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    active: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """The links above the history. ``unit`` and ``period`` say what is chosen."""

    shows: list[Choice]
    units: list[Choice]
    periods: list[Choice]
    unit: str
    period: str


def _filters(wanted: Filter, units: Sequence[Unit]) -> Filters:
    labels = {
        "all": _("All"),
        "earned": _("Earned"),
        "spent": _("Spent"),
        "expired": _("Expired"),
        "on_the_way": _("On the way"),
    }
    times = {"": _("Any time"), "month": _("This month"), "quarter": _("Last 3 months"), "year": _("Last 12 months")}
    places = {"": _("Everywhere")} | {unit.code: translated(unit.name) for unit in units}

    def choices(name: str, options: dict[str, str], chosen: str) -> list[Choice]:
        return [
            Choice(label, url_for(".index", **wanted.link(**{name: value})), value == chosen)
            for value, label in options.items()
        ]

    return Filters(
        shows=choices("show", labels, wanted.show),
        units=choices("unit", places, wanted.unit) if len(places) > 2 else [],
        periods=choices("period", times, wanted.period),
        unit=places.get(wanted.unit, ""),
        period=times[wanted.period],
    )
