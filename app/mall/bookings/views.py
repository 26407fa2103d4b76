"""A member's bookings: what is to come, what was, another time, and a file for the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.terms import current
from app.identity.session import current_member
from app.identity.units.queries import unit_names
from app.mall.bookings import actions
from app.mall.bookings.forms import MoveForm
from app.mall.bookings.statements import BookingShown, booking_shown, file_of, rows
from app.mall.catalog.queries import Label, labels_of
from app.mall.orders.queries import own_order
from app.mall.slots.queries import Booked, SlotTerms, booking_of_lines, bookings_of, slots_ahead
from app.mall.slots.statements import FAR, calendar

if TYPE_CHECKING:
    from app.mall.orders.models import Order

bookings = Blueprint("bookings", __name__)
PAGE = 15
LONGEST_NUMBER = 20


# --- the list --------------------------------------------------------------------------------------


@bookings.get("/bookings")
@requires(Permission.ORDER_OWN)
def index() -> Response:
    past, now = request.args.get("show") == "past", clock.now()
    part = bookings_of(current_member().id, past=past, after=request.args.get("after"), limit=PAGE, now=now)
    return page(
        "mall/bookings/index.html",
        fragments={"results"},
        chips=[
            {"label": _("To come"), "url": url_for(".index"), "active": not past},
            {"label": _("Past"), "url": url_for(".index", show="past"), "active": past},
        ],
        rows=rows(part.items, unit_names(), now=now),
        past=past,
        first_url=first_url(),
        next_url=next_url(part),
        mall_url=url_for("portal.mall.index"),
        orders_url=url_for("portal.orders.index"),
    )


# --- one booking -----------------------------------------------------------------------------------


def own_booking_or_404(number: str) -> tuple[Order, Booked]:
    order = own_order(current_member().id, number) if number.isalnum() and len(number) <= LONGEST_NUMBER else None
    booked = booking_of_lines([line.id for line in order.lines]) if order else None
    if order is None or booked is None:
        abort(404)
    return order, booked


def _label(booked: Booked) -> Label:
    return labels_of([booked.variant_id])[booked.variant_id]


def _shown(order: Order, booked: Booked) -> BookingShown:
    label = _label(booked)
    unit = unit_names().get(label.unit_id, {})
    paid = order.state == "paid"
    return booking_shown(booked, label, unit, terms=current(SlotTerms), paid=paid, now=clock.now())


@bookings.get("/orders/<number>/booking")
@requires(Permission.ORDER_OWN)
def show(number: str) -> Response:
    """A part of the order's page."""
    order, booked = own_booking_or_404(number)
    return page(
        "mall/bookings/show.html",
        fragments={"booking"},
        booking=_shown(order, booked),
        number=number,
        order_url=url_for("portal.orders.show", number=number),
    )


@bookings.get("/orders/<number>/booking.ics")
@requires(Permission.ORDER_OWN)
def show_file(number: str) -> Response:
    """For the member's own calendar. There is none of a booking that was given up."""
    _order, booked = own_booking_or_404(number)
    if booked.state != "booked":
        abort(404)
    label = _label(booked)
    file = file_of(booked, label, unit_names().get(label.unit_id, {}), now=clock.now())
    response = make_response(file)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{booked.order_number}.ics"'
    return response


@bookings.get("/orders/<number>/booking/edit")
@requires(Permission.ORDER_OWN)
def edit(number: str) -> ResponseReturnValue:
    """Another time of the same service."""
    order, booked = own_booking_or_404(number)
    shown = _shown(order, booked)
    if shown.move_url is None:
        flash(shown.text or _("This booking cannot be moved any more."), "warning")
        return redirect(url_for("portal.orders.show", number=number))
    return _times_page(booked, shown, MoveForm(formdata=None))


def _times_page(booked: Booked, shown: BookingShown, form: MoveForm, *, status: int = 200) -> Response:
    now, number = clock.now(), booked.order_number
    others = [slot for slot in slots_ahead(booked.variant_id, since=now, until=now + FAR) if slot.id != booked.slot_id]

    def url(**chosen: object) -> str:
        return url_for(".edit", number=number, **chosen)  # type: ignore[arg-type]

    return page(
        "mall/bookings/edit.html",
        fragments={"times"},
        status=status,
        booking=shown,
        form=form,
        **calendar(others, url=url, asked=request.values, places=booked.places),
        update_url=url_for(".update", number=number),
        order_url=url_for("portal.orders.show", number=number),
    )


@bookings.post("/orders/<number>/booking")
@requires(Permission.ORDER_OWN)
def update(number: str) -> ResponseReturnValue:
    order, booked = own_booking_or_404(number)
    form, wanted = MoveForm(), request.form.get("slot", "")
    slot_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 15 else 0
    try:
        with transaction():
            actions.move(order_id=order.id, slot_id=slot_id, now=clock.now())
    except DomainError as error:
        order, booked = own_booking_or_404(number)
        shown = _shown(order, booked)
        if shown.move_url is None:
            flash(str(error), "warning")
            return seen(url_for("portal.orders.show", number=number))
        refuse(form, error)
        return _times_page(booked, shown, form, status=error.status)
    moved = _shown(*own_booking_or_404(number))
    flash(_("Your booking is moved: %(time)s.", time=moved.when), "success")
    return seen(url_for("portal.orders.show", number=number))
