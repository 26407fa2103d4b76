"""The member's account: what there is, what expires when, and every line with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, abort, request

from app.foundation import clock
from app.foundation.kept import kept
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.foundation.points import Growth, Points
from app.identity.session import current_member
from app.identity.units.queries import all_units
from app.loyalty.ledger import history, queries
from app.loyalty.ledger.statements import Line, lines_of
from app.loyalty.ledger.views import filters
from app.loyalty.ledger.views.outlook import month_name, outlook

points = Blueprint("points", __name__)

PAGE = 20
LARGEST_ID = 2**63 - 1


@points.get("/points")
@requires(Permission.POINTS_OWN)
@kept
def index() -> Response:
    member_id, now = current_member().id, clock.now()
    return _account(
        endpoint="portal.points.index",
        ledger=Points.ledger,
        standing=queries.standing(member_id, now=now),
        outlook=outlook(queries.expiring_by_day(member_id, now=now), now),
        growth=queries.growth(member_id),
    )


@points.get("/points/growth")
@requires(Permission.POINTS_OWN)
def growth() -> Response:
    return _account(
        endpoint="portal.points.growth",
        ledger=Growth.ledger,
        growth=queries.growth(current_member().id),
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


def _account(*, endpoint: str, ledger: str, **figures: Any) -> Response:
    """A page of one ledger with its history. A free field that makes no sense is 422 and shows no lines."""
    member_id, units = current_member().id, all_units()
    wanted = filters.read(endpoint, ledger, units)
    found = history.Found([], None)
    if wanted.valid:
        found = history.find(member_id, wanted.wanted(clock.now()), before=wanted.before, limit=PAGE)
    return page(
        "loyalty/ledger/index.html",
        fragments={"history", "more"},
        status=200 if wanted.valid else 422,
        headers=_plain_address(wanted),
        months=_by_month(lines_of(found.transfers, units={unit.id: unit.name for unit in units})),
        choices=filters.choices(wanted, member_id),
        filter=wanted,
        form=wanted.form,
        action=wanted.url(**dict.fromkeys(filters.KEPT)),
        older_url=wanted.url(before=str(found.before)) if found.before else None,
        looked_through=history.LOOKED_THROUGH if found.before and not found.transfers else None,
        **figures,
    )


def _plain_address(wanted: filters.Filter) -> dict[str, str]:
    """For the address bar after a search by htmx, which would put every empty field of the form there."""
    searched = wanted.valid and request.headers.get("HX-Target") == "history"
    return {"HX-Push-Url": wanted.url()} if searched else {}


def _by_month(lines: Sequence[Line]) -> list[Month]:
    months = groupby(lines, key=lambda line: line.day.replace(day=1))
    return [Month(month_name(first), list(group)) for first, group in months]
