"""One order, and what is done to it: packed, sent parcel by parcel, handed out."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.terms import current
from app.identity.members.queries import member_by_id
from app.identity.session import current_staff
from app.identity.units.queries import unit_names
from app.mall.catalog.statements import picture_of
from app.mall.orders import actions, states, worklist
from app.mall.orders.admin.door import order_or_404, orders
from app.mall.orders.forms import LabelForm, PackedForm
from app.mall.orders.models import Order, Shipment
from app.mall.orders.sending import UNDERWAY, to_send
from app.mall.orders.statements import name_of, order_shown
from app.mall.orders.terms import OrderTerms
from app.mall.payments.queries import payments_of
from app.mall.payments.statements import payment_rows
from app.mall.slots.queries import booking_of_lines
from app.mall.slots.statements import booked_shown


@orders.get("/<number>")
@requires(Permission.ORDER_READ)
def show(number: str) -> ResponseReturnValue:
    return _order_page(order_or_404(number))


def _order_page(
    order: Order,
    *,
    label: LabelForm | None = None,
    packed: PackedForm | None = None,
    corrected: tuple[int, LabelForm] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    """``corrected`` is the form of the parcel whose label was to be corrected, and was not."""
    unit = unit_names().get(order.unit_id, {})
    payments = payments_of(order.id)
    shown = order_shown(order, payments, unit=unit, terms=current(OrderTerms), now=clock.now())
    member = member_by_id(order.member_id) or abort(404)
    return page(
        "mall/orders/office/show.html",
        fragments={"order"},
        status=status,
        order=shown,
        history=[{**event, "by": event["who"]} for event in shown.history],
        unit=translated(unit),
        member=member.label,
        member_code=member.code,
        contact=member.phone or member.email or "",
        payments=[row for payment in payments for row in payment_rows(payment)],
        pieces=points(sum(line.quantity for line in order.lines)),
        booked=booked_shown(booking_of_lines([line.id for line in order.lines])),
        label=label or LabelForm(formdata=None),
        to_pack=_to_pack(order, packed or PackedForm(to_send(order))),
        seen=len(order.shipments),
        corrections=_corrections(order, corrected),
        can_pack=_can(order, "packed"),
        can_ship=_can(order, "shipped"),
        can_serve=allowed(Permission.ORDER_FULFIL) and actions.can_be_served(order, now=clock.now()),
        index_url=url_for(".index"),
        slip_url=url_for(".packing_slips", number=order.number) if order.parcel else None,
        packing_url=url_for(".create_packing", number=order.number),
        shipment_url=url_for(".create_shipment", number=order.number),
        handover_url=url_for(".create_handover", number=order.number),
    )


def _to_pack(order: Order, packed: PackedForm) -> list[dict[str, Any]]:
    """What may lie in the next parcel, line by line."""
    return [
        {
            "field": f"pieces-{line.id}",
            "name": name_of(line),
            "sku": line.sku,
            "picture": picture_of(line.picture),
            "left": line.open,
            "value": packed.value_of(line),
        }
        for line in packed.lines
    ]


def _corrections(order: Order, corrected: tuple[int, LabelForm] | None) -> dict[int, dict[str, Any]]:
    """By parcel, what corrects its label. Only on the way: what was received is history."""
    if order.state not in UNDERWAY or not allowed(Permission.ORDER_FULFIL):
        return {}
    refused, form = corrected or (None, None)
    return {
        parcel.id: {
            "url": url_for(".update_parcel", number=order.number, parcel_id=parcel.id),
            "form": form if parcel.id == refused else LabelForm.of(parcel),
            "open": parcel.id == refused,
        }
        for parcel in order.shipments
    }


def _can(order: Order, state: str) -> bool:
    fulfils = allowed(Permission.ORDER_FULFIL)
    return fulfils and states.may(order.state, state, who="merchant", parcel=order.parcel)


@orders.post("/<number>/packing")
@requires(Permission.ORDER_FULFIL)
def create_packing(number: str) -> ResponseReturnValue:
    order, staff = order_or_404(number), current_staff()
    with transaction():
        actions.pack(order_id=order.id, by=staff.actor, now=clock.now())
    return seen(url_for(".show", number=number))


@orders.post("/<number>/shipment")
@requires(Permission.ORDER_FULFIL)
def create_shipment(number: str) -> ResponseReturnValue:
    order, staff, label = order_or_404(number), current_staff(), LabelForm()
    packed = PackedForm(to_send(order), request.form)
    if not label.validate():
        return _order_page(order, label=label, packed=packed, status=422)
    try:
        pieces = packed.pieces
        with transaction():
            actions.ship(
                order_id=order.id,
                carrier=label.carrier_name,
                tracking_number=label.number,
                pieces=pieces,
                seen=packed.seen,
                by=staff.actor,
                now=clock.now(),
            )
    except DomainError as error:
        refuse(label, error)
        order = order_or_404(number)
        return _order_page(order, label=label, packed=PackedForm(to_send(order), request.form), status=error.status)
    flash(_said(worklist.left_to_send(order.id)), "success")
    return seen(url_for(".show", number=number))


def _said(left: int) -> str:
    """What became of the order with this parcel: so many pieces are ``left``."""
    if not left:
        return _("It is on its way, and with it everything that was left of this order.")
    return ngettext(
        "This part is on its way. %(num)s piece is still to be sent.",
        "This part is on its way. %(num)s pieces are still to be sent.",
        left,
    )


@orders.post("/<number>/parcels/<int:parcel_id>")
@requires(Permission.ORDER_FULFIL)
def update_parcel(number: str, parcel_id: int) -> ResponseReturnValue:
    order = order_or_404(number)
    parcel = _parcel_or_404(order, parcel_id)
    label = LabelForm(prefix=f"parcel-{parcel.id}")
    if not label.validate():
        return _order_page(order, corrected=(parcel_id, label), status=422)
    try:
        with transaction():
            actions.correct_parcel(
                order_id=order.id,
                parcel_id=parcel_id,
                carrier=label.carrier_name,
                tracking_number=label.number,
                by=current_staff().actor,
                now=clock.now(),
            )
    except DomainError as error:
        refuse(label, error)
        return _order_page(order_or_404(number), corrected=(parcel_id, label), status=error.status)
    flash(_("The label is corrected. The member sees the new number at once."), "success")
    return seen(url_for(".show", number=number))


def _parcel_or_404(order: Order, parcel_id: int) -> Shipment:
    return next((parcel for parcel in order.shipments if parcel.id == parcel_id), None) or abort(404)


@orders.post("/<number>/handover")
@requires(Permission.ORDER_FULFIL)
def create_handover(number: str) -> ResponseReturnValue:
    order, staff = order_or_404(number), current_staff()
    with transaction():
        actions.serve(order_id=order.id, by=staff.actor, now=clock.now())
    return seen(url_for(".show", number=number))
