"""Office pages: simulate a draft before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, Response, abort, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import clock, jobs
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import day, points
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.screens.terms_registry import companion, editor_url, title_of
from app.identity.session import current_staff
from app.loyalty.simulation import queries
from app.loyalty.simulation.actions import ask, cancel
from app.loyalty.simulation.forms import SimulationForm
from app.loyalty.simulation.jobs import NAME
from app.loyalty.simulation.models import ASKED, FAILED, Simulation
from app.loyalty.simulation.reading import DOMAINS
from app.loyalty.simulation.statements import percent, result_of

simulation = Blueprint("simulation", __name__, url_prefix="/terms/earning/simulation")

for _cls in DOMAINS.values():
    companion(
        _cls,
        "backoffice.simulation.index",
        _l("Simulate first"),
        _l("What would past purchases have brought under this draft: points, cost, tiers, who gains and who loses?"),
    )


@simulation.get("")
@requires(Permission.PROGRAMME_READ)
def index() -> Response:
    """The latest result, or how far the one under way has come."""
    return _page(SimulationForm(data=_default_period()))


@simulation.get("/<int:number>")
@requires(Permission.PROGRAMME_READ)
def show(number: int) -> Response:
    found = queries.simulation_by_id(number) if number < 2**63 else None
    if found is None or found.finished_at is None:
        abort(404)
    return _page(SimulationForm(data={"first_day": found.first_day, "last_day": found.last_day}), found)


@simulation.post("")
@requires(Permission.PROGRAMME_WRITE)
def create() -> ResponseReturnValue:
    form = SimulationForm()
    if not form.validate_on_submit():
        return _page(form, status=422)
    by, now = current_staff().actor, clock.now()
    try:
        with transaction():
            ask(first_day=form.first_day.data, last_day=form.last_day.data, by=by, now=now)
    except DomainError as error:
        refuse(form, error)
        return _page(form, status=error.status)
    jobs.ask(NAME, now=now)
    return seen(url_for(".index"))


@simulation.post("/cancellation")
@requires(Permission.PROGRAMME_WRITE)
def create_cancellation() -> ResponseReturnValue:
    running = queries.under_way()
    with transaction():
        cancelled = running is not None and cancel(running.id, now=clock.now())
    if cancelled:
        flash(_("The simulation is cancelled."), "success")
    return seen(url_for(".index"))


def _default_period() -> dict[str, date]:
    """The last twelve months, up to yesterday."""
    today = clock.local_date(clock.now(), clock.programme_zone())
    return {"first_day": clock.months_after(today, -12), "last_day": date.fromordinal(today.toordinal() - 1)}


# --- what the page shows --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the simulation under way has come."""

    period: str
    asked_by: str
    asked_at: datetime
    waiting: bool
    round: int
    done: int
    purchases: int
    text: str
    hint: str


def _progress(running: Simulation) -> Progress:
    return Progress(
        period=_period(running),
        asked_by=running.asked_by,
        asked_at=running.asked_at,
        waiting=running.state == ASKED,
        round=running.round,
        done=running.done,
        purchases=running.purchases or 1,
        text=percent(running.done, running.purchases or 1),
        hint=_("%(done)s of %(all)s purchases", done=points(running.done), all=points(running.purchases)),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One simulation in the list."""

    url: str
    period: str
    finished_at: datetime | None
    asked_by: str
    failed: bool
    current: bool


def _page(form: SimulationForm, shown: Simulation | None = None, *, status: int = 200) -> Response:
    now = clock.now()
    running, matter, latest = queries.under_way(), queries.matter(now=now), queries.latest()
    chosen = shown or next(iter(latest), None)
    done = chosen if chosen is not None and chosen.state != FAILED else None
    today = clock.local_date(now, clock.programme_zone())
    drafted = [title_of(domain) for domain in matter.drafted]
    return page(
        "loyalty/simulation/show.html",
        fragments={"state"},
        status=status,
        form=form,
        may_start=allowed(Permission.PROGRAMME_WRITE),
        may_open_members=allowed(Permission.MEMBER_READ),
        drafted=drafted,
        today=today.isoformat(),
        progress=_progress(running) if running else None,
        failed=chosen is not None and chosen.state == FAILED,
        chosen=chosen,
        period=_period(chosen) if chosen else "",
        stale=chosen is not None and chosen.seal != matter.seal,
        result=result_of(done) if done is not None and done.figures.get("purchases") else None,
        entries=[_entry(each, chosen) for each in latest],
        here_url=url_for(".index"),
        cancel_url=url_for(".create_cancellation"),
        edit_url=editor_url("earning"),
        back_url=url_for("backoffice.terms.publication", domain=(*matter.drafted, "earning")[0]),
    )


def _entry(each: Simulation, chosen: Simulation | None) -> Entry:
    return Entry(
        url=url_for(".show", number=each.id),
        period=_period(each),
        finished_at=each.finished_at,
        asked_by=each.asked_by,
        failed=each.state == FAILED,
        current=chosen is not None and chosen.id == each.id,
    )


def _period(each: Simulation) -> str:
    return f"{day(each.first_day)} – {day(each.last_day)}"
