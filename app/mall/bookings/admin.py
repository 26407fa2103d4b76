"""Who comes when: the list of a day, and one time with everybody who booked it. Of the colleague's own units."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import day as day_text
from app.foundation.languages import translated
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.members.queries import members_by_ids
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names, units_within
from app.mall.bookings import actions
from app.mall.bookings.calling_off import call_off_slot
from app.mall.bookings.forms import CallingOffForm
from app.mall.bookings.statements import guest, hours_of, places_text
from app.mall.catalog.queries import labels_of
from app.mall.orders.queries import office_order, paid_numbers
from app.mall.slots.queries import Booked, Service, booked_between, bookings_in, services, slot_of
from app.mall.slots.statements import local_day, service_name, slot_shown, whole_time

if TYPE_CHECKING:
    from app.mall.orders.models import Order
    from app.mall.slots.models import ServiceSlot

bookings = Blueprint("bookings", __name__, url_prefix="/bookings")
FIRST, LAST = date(2000, 1, 2), date(2100, 12, 30)


# --- a day -----------------------------------------------------------------------------------------


@bookings.get("")
@requires(Permission.ORDER_READ)
def index() -> Response:
    now, day, zone = clock.now(), _day(), clock.programme_zone()
    units = {unit.code: unit for unit in units_within(unit_scope(current_staff()))}
    chosen = units.get(request.args.get("unit", ""))
    mine = services({chosen.id} if chosen else {unit.id for unit in units.values()})
    booked = booked_between([each.variant_id for each in mine], clock.start_of(day, zone), clock.end_of(day, zone))
    waiting = [each.order_number for each in booked if each.state == "booked"]

    def url(of: date) -> str:
        return url_for(".index", day=None if of == local_day(now) else of, unit=chosen.code if chosen else None)

    return page(
        "mall/bookings/office/index.html",
        hours=hours_of(
            booked,
            labels_of({each.variant_id for each in booked}),
            unit_names(),
            members_by_ids({each.member_id for each in booked}),
            paid_numbers(waiting),
            now=now,
        ),
        people=sum(each.places for each in booked),
        day=day_text(day, "full"),
        day_value=day.isoformat(),
        today=day == local_day(now),
        earlier_url=url(day - timedelta(days=1)),
        later_url=url(day + timedelta(days=1)),
        today_url=url(local_day(now)),
        units=[
            {
                "label": translated(unit.name),
                "url": url_for(".index", day=request.args.get("day"), unit=code),
                "active": chosen is unit,
            }
            for code, unit in units.items()
            if len(units) > 1
        ],
        all_url=url_for(".index", day=request.args.get("day")),
        unit=chosen.code if chosen else "",
        index_url=url_for(".index"),
        times_url=url_for("backoffice.slots.index") if allowed(Permission.CATALOG_READ) else None,
    )


def _day() -> date:
    """The one that is asked for; else today."""
    try:
        wanted = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return local_day(clock.now())
    return min(max(wanted, FIRST), LAST)


def order_or_404(number: str) -> Order:
    found = office_order(number, units=unit_scope(current_staff())) if number.isalnum() else None
    return found or abort(404)


@bookings.post("/<number>/attendance")
@requires(Permission.ORDER_FULFIL)
def create_attendance(number: str) -> ResponseReturnValue:
    return _said(number, actions.attend)


@bookings.post("/<number>/absence")
@requires(Permission.ORDER_FULFIL)
def create_absence(number: str) -> ResponseReturnValue:
    return _said(number, actions.miss)


def _said(number: str, act: Callable[..., None]) -> ResponseReturnValue:
    order, by = order_or_404(number), current_staff().actor
    try:
        with transaction():
            act(order_id=order.id, by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
    return seen(local_url(request.form.get("next"), url_for(".index")))


# --- one time --------------------------------------------------------------------------------------


def slot_or_404(slot_id: int) -> tuple[ServiceSlot, Service]:
    mine = {each.variant_id: each for each in services(unit_scope(current_staff()))}
    slot = slot_of(mine, slot_id)
    if slot is None:
        abort(404)
    return slot, mine[slot.variant_id]


@bookings.get("/times/<int:slot_id>")
@requires(Permission.ORDER_READ)
def show_slot(slot_id: int) -> Response:
    slot, service = slot_or_404(slot_id)
    return _slot_page(slot, service, CallingOffForm(formdata=None))


def _slot_page(slot: ServiceSlot, service: Service, form: CallingOffForm, *, status: int = 200) -> Response:
    now, booked = clock.now(), bookings_in(slot.id)
    ahead, may_write = slot.starts_at > now, allowed(Permission.CATALOG_WRITE)
    waiting = [each for each in booked if each.state == "booked"]

    def url(what: str) -> str:
        return url_for(f"backoffice.slots.{what}", sku=service.sku, slot_id=slot.id)

    return page(
        "mall/bookings/office/slot.html",
        status=status,
        slot=slot_shown(slot, now=now),
        name=service_name(service),
        when=whole_time(slot.starts_at, slot.ends_at),
        zone=clock.programme_zone().key,
        guests=_guests(booked, waiting),
        places=slot.places,
        taken=slot.taken,
        places_url=url("update_places") if ahead and may_write else None,
        closing_url=url("create_closing") if ahead and may_write and not slot.closed else None,
        reopening_url=url("destroy_closing") if ahead and may_write and slot.closed else None,
        calling_off_url=url_for(".create_slot_cancellation", slot_id=slot.id)
        if allowed(Permission.RETURN_DECIDE) and (waiting or (ahead and not slot.closed))
        else None,
        called_off=_whom_it_hits(waiting),
        form=form,
        week_url=url_for("backoffice.slots.show", sku=service.sku, week=local_day(slot.starts_at)),
    )


def _guests(booked: list[Booked], waiting: list[Booked]) -> list[object]:
    members = members_by_ids({each.member_id for each in booked})
    paid, now = paid_numbers([each.order_number for each in waiting]), clock.now()
    return [guest(each, members[each.member_id], paid=each.order_number in paid, now=now) for each in booked]


def _whom_it_hits(waiting: list[Booked]) -> str:
    if not waiting:
        return _("Nobody has booked it.")
    return ngettext(
        "%(num)s booking (%(places)s) is cancelled and paid back in full.",
        "%(num)s bookings (%(places)s) are cancelled and paid back in full.",
        len(waiting),
        places=places_text(sum(each.places for each in waiting)),
    )


@bookings.post("/times/<int:slot_id>/cancellation")
@requires(Permission.RETURN_DECIDE)
def create_slot_cancellation(slot_id: int) -> ResponseReturnValue:
    (slot, service), form = slot_or_404(slot_id), CallingOffForm()
    if not form.validate():
        return _slot_page(slot, service, form, status=422)
    made = call_off_slot(slot_id=slot_id, reason=form.reason.data, by=current_staff().actor, now=clock.now())
    flash(
        ngettext(
            "The time is cancelled, and %(num)s booking with it.",
            "The time is cancelled, and %(num)s bookings with it.",
            made.done,
        ),
        "success",
    )
    if made.failed:
        numbers = ", ".join(made.failed)
        flash(_("These orders could not be cancelled; please look at them: %(numbers)s.", numbers=numbers), "warning")
    return seen(url_for(".show_slot", slot_id=slot_id))
