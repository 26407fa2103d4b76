"""When services are given: a week at a glance, one time more, or a series. Colleagues see those of their own units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import day as day_text
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names
from app.mall.slots import actions, queries
from app.mall.slots.forms import PlacesForm, SeriesForm, SlotForm
from app.mall.slots.queries import Service
from app.mall.slots.rules import MOST_AT_ONCE, LocalTime, Spell, clashes, local_time, monday_of, times_of
from app.mall.slots.statements import (
    Proposal,
    local_day,
    overview,
    problem_of,
    proposals,
    refuse_missing,
    service_name,
    twice_text,
    week_shown,
)

if TYPE_CHECKING:
    from app.mall.slots.models import ServiceSlot

slots = Blueprint("slots", __name__, url_prefix="/slots")
USUAL = {"minutes": 60, "places": 1}
EARLIEST, LATEST = date(2000, 1, 3), date(2100, 12, 27)


def service_or_404(sku: str) -> Service:
    found = queries.services(unit_scope(current_staff()))
    return next((each for each in found if each.sku == sku), None) or abort(404)


def own_slot_or_404(sku: str, slot_id: int) -> ServiceSlot:
    return queries.slot_of([service_or_404(sku).variant_id], slot_id) or abort(404)


# --- looking ---------------------------------------------------------------------------------------


@slots.get("")
@requires(Permission.CATALOG_READ)
def index() -> Response:
    found = queries.services(unit_scope(current_staff()))
    units = unit_names()
    following = queries.next_times([each.variant_id for each in found], clock.now())
    return page(
        "mall/slots/office/index.html",
        rows=[overview(each, following.get(each.variant_id), units.get(each.unit_id, {})) for each in found],
        products_url=url_for("backoffice.products.index"),
        bookings_url=url_for("backoffice.bookings.index"),
    )


@slots.get("/<sku>")
@requires(Permission.CATALOG_READ)
def show(sku: str) -> Response:
    service, monday = service_or_404(sku), _monday()
    return _week(service, monday, SlotForm(formdata=None, data={**USUAL, **_like_the_last(service)}))


def _monday() -> date:
    """The first day of the week that is asked for; else of this one."""
    try:
        wanted = monday_of(date.fromisoformat(request.args.get("week", "")))
    except (ValueError, OverflowError):
        return monday_of(local_day(clock.now()))
    return min(max(wanted, EARLIEST), LATEST)


def _like_the_last(service: Service) -> dict[str, Any]:
    """What a new time is probably like: the latest one that was added for this service."""
    last = queries.latest_slot(service.variant_id)
    if last is None:
        return {}
    minutes = int((last.ends_at - last.starts_at).total_seconds()) // 60
    return {"minutes": minutes, "places": last.places, "place": last.place}


def _week(service: Service, monday: date, form: SlotForm, *, status: int = 200) -> Response:
    zone, sunday = clock.programme_zone(), monday + timedelta(days=6)
    there = queries.slots_between(service.variant_id, clock.start_of(monday, zone), clock.end_of(sunday, zone))
    return page(
        "mall/slots/office/show.html",
        status=status,
        name=service_name(service),
        sku=service.sku,
        days=week_shown(there, monday, now=clock.now()),
        some=bool(there),
        week=f"{day_text(monday)} – {day_text(sunday)}",
        zone=zone.key,
        earlier_url=url_for(".show", sku=service.sku, week=monday - timedelta(days=7)),
        later_url=url_for(".show", sku=service.sku, week=monday + timedelta(days=7)),
        this_week_url=url_for(".show", sku=service.sku),
        form=form if allowed(Permission.CATALOG_WRITE) else None,
        create_url=url_for(".create", sku=service.sku, week=monday),
        series_url=url_for(".new_series", sku=service.sku),
        index_url=url_for(".index"),
    )


# --- one time --------------------------------------------------------------------------------------


@slots.post("/<sku>")
@requires(Permission.CATALOG_WRITE)
def create(sku: str) -> ResponseReturnValue:
    service, form = service_or_404(sku), SlotForm()
    if not form.validate():
        return _week(service, _monday(), form, status=422)
    wanted = local_time(form.day.data, form.at.data, form.minutes.data, clock.programme_zone())
    try:
        _add(service, [refuse_missing(wanted)], form)
    except DomainError as error:
        refuse(form, error, "at")
        return _week(service, _monday(), form, status=error.status)
    flash(_("The time is there, and members can book it."), "success")
    if wanted.twice:
        flash(twice_text(wanted), "warning")
    return seen(url_for(".show", sku=sku, week=monday_of(wanted.day)))


def _add(service: Service, spells: Sequence[Spell], form: SlotForm | SeriesForm) -> int:
    with transaction():
        return actions.add_times(
            variant_id=service.variant_id,
            spells=spells,
            places=form.places.data,
            place=form.place.data or "",
            by=current_staff().actor,
            now=clock.now(),
        )


# --- a series --------------------------------------------------------------------------------------


@slots.get("/<sku>/series")
@requires(Permission.CATALOG_WRITE)
def new_series(sku: str) -> Response:
    service, today = service_or_404(sku), local_day(clock.now())
    usual = {**USUAL, **_like_the_last(service), "first": today + timedelta(days=1), "weekdays": range(5)}
    return _series_page(service, SeriesForm(formdata=None, data={**usual, "last": today + timedelta(days=28)}))


@slots.post("/<sku>/series")
@requires(Permission.CATALOG_WRITE)
def create_series(sku: str) -> ResponseReturnValue:
    """First every time that it would make, then, without those that were left out, the times themselves."""
    service, form = service_or_404(sku), SeriesForm()
    if not form.validate():
        return _series_page(service, form, status=422)
    times = list(times_of(form.series, form.minutes.data, clock.programme_zone()))
    if not times or len(times) > MOST_AT_ONCE:
        form.last.errors = [
            _(
                "These are %(number)s times; between 1 and %(most)s fit into a series.",
                number=len(times),
                most=MOST_AT_ONCE,
            )
        ]
        return _series_page(service, form, status=422)
    clashing = _clashing(service, times, form.place.data or "")
    kept = set(request.form.getlist("keep"))
    if not form.seen.data or "again" in request.form:
        dropped = {each.name for each in times} - kept if form.seen.data else set()
        return _series_page(service, form, proposals(times, clashing, dropped, now=clock.now()))
    fine = [each for each in times if each.name in kept and not problem_of(each, clashing, now=clock.now())]
    try:
        count = _add(service, [each.spell for each in fine if each.spell], form)
    except DomainError as error:
        refuse(form, error)
        clashing = _clashing(service, times, form.place.data or "")  # Somebody else was quicker.
        rows = proposals(times, clashing, {each.name for each in times} - kept, now=clock.now())
        return _series_page(service, form, rows, status=error.status)
    flash(ngettext("%(num)s time was added.", "%(num)s times were added.", count), "success")
    return seen(url_for(".show", sku=sku, week=monday_of(fine[0].day)))


def _clashing(service: Service, times: Sequence[LocalTime], place: str) -> set[Spell]:
    spells = [each.spell for each in times if each.spell]
    if not spells:
        return set()
    sharing = queries.sharing(service.variant_id, place).sharing
    taken = queries.spells_at(variant_ids=sharing, place=place, between=(spells[0], spells[-1]))
    return {spells[number] for number in clashes(spells, taken)}


def _series_page(
    service: Service,
    form: SeriesForm,
    rows: Sequence[Proposal] = (),
    *,
    status: int = 200,
) -> Response:
    return page(
        "mall/slots/office/series.html",
        status=status,
        name=service_name(service),
        form=form,
        proposals=rows,
        possible=sum(not row.problem for row in rows),
        zone=clock.programme_zone().key,
        create_url=url_for(".create_series", sku=service.sku),
        back_url=url_for(".show", sku=service.sku),
    )


# --- what becomes of a time ------------------------------------------------------------------------


@slots.post("/<sku>/<int:slot_id>/places")
@requires(Permission.CATALOG_WRITE)
def update_places(sku: str, slot_id: int) -> ResponseReturnValue:
    slot, form = own_slot_or_404(sku, slot_id), PlacesForm()
    if not form.validate():
        flash(" ".join(map(str, form.places.errors)), "warning")
    elif _done(actions.change_places, slot.id, places=form.places.data):
        flash(_("The places are changed."), "success")
    return seen(_url_of(slot_id))


@slots.post("/<sku>/<int:slot_id>/closing")
@requires(Permission.CATALOG_WRITE)
def create_closing(sku: str, slot_id: int) -> ResponseReturnValue:
    if _done(actions.close, own_slot_or_404(sku, slot_id).id):
        flash(_("Nobody can book this time any more. Who has booked it comes all the same."), "success")
    return seen(_url_of(slot_id))


@slots.post("/<sku>/<int:slot_id>/closing/removal")
@requires(Permission.CATALOG_WRITE)
def destroy_closing(sku: str, slot_id: int) -> ResponseReturnValue:
    if _done(actions.reopen, own_slot_or_404(sku, slot_id).id):
        flash(_("Members can book this time again."), "success")
    return seen(_url_of(slot_id))


def _done(act: Any, slot_id: int, **values: Any) -> bool:
    """A refusal is told on the page of the time."""
    try:
        with transaction():
            act(slot_id=slot_id, by=current_staff().actor, now=clock.now(), **values)
    except DomainError as error:
        flash(str(error), "warning")
        return False
    return True


def _url_of(slot_id: int) -> str:
    return url_for("backoffice.bookings.show_slot", slot_id=slot_id)
