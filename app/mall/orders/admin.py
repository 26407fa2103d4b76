"""Orders in the back office. Staff see the orders of their units; merchants pack, ship and hand out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.formats import moment, points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.foundation.terms import current
from app.identity.members.queries import member_by_id, members_by_ids
from app.identity.members.queries import search as search_members
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names, units_within
from app.mall.catalog.statements import picture_of
from app.mall.orders import actions, queries, states
from app.mall.orders.forms import ShipmentForm
from app.mall.orders.models import Order
from app.mall.orders.rules import is_number, one_line
from app.mall.orders.statements import TONES, goods_name, label_of, order_shown, price_of
from app.mall.orders.terms import OrderTerms
from app.mall.payments.queries import payments_of
from app.mall.payments.statements import payment_rows

if TYPE_CHECKING:
    from app.identity.members.models import Member

orders = Blueprint("orders", __name__, url_prefix="/orders")
PAGE = 50
MEMBERS = 100
NUMBER = re.compile(r"[A-Za-z0-9]{1,20}")


# --- the list -----------------------------------------------------------------------------


@orders.get("")
@requires(Permission.ORDER_READ)
def index() -> ResponseReturnValue:
    scope, filters = unit_scope(current_staff()), _filters()
    units = {unit.code: unit for unit in units_within(scope)}
    part = queries.office_orders(
        units=scope,
        **_search(filters.get("q", "")),
        state=filters.get("state", ""),
        # An unknown code finds nothing rather than everything.
        unit_id=(units[filters["unit"]].id if filters["unit"] in units else 0) if "unit" in filters else None,
        after=request.args.get("after"),
        limit=PAGE,
    )
    members = members_by_ids({order.member_id for order in part.items})
    names = {unit.id: translated(unit.name) for unit in units.values()}
    return page(
        "mall/orders/office/index.html",
        fragments={"results"},
        rows=[_row(order, members[order.member_id], names) for order in part.items],
        chips=_chips(filters, queries.counts_by_state(units=scope)),
        filters=filters,
        units={code: translated(unit.name) for code, unit in units.items()},
        index_url=url_for(".index"),
        first_url=first_url(),
        next_url=next_url(part),
    )


def _filters() -> dict[str, str]:
    asked = {name: one_line(request.args.get(name))[:80] for name in ("q", "state", "unit")}
    if asked["state"] not in states.LABELS:
        asked["state"] = ""
    return {name: value for name, value in asked.items() if value}


def _search(text: str) -> dict[str, Any]:
    """What somebody typed is the beginning of an order's number, or says who ordered."""
    if not text:
        return {}
    ids = [member.id for member in search_members(text, limit=MEMBERS)]
    return {"number": text if NUMBER.fullmatch(text) else "", "member_ids": ids}


def _url(filters: Mapping[str, str], **changes: Any) -> str:
    return url_for(".index", **{**filters, **changes})


def _chips(filters: Mapping[str, str], waiting: Mapping[str, int]) -> list[dict[str, Any]]:
    chosen = filters.get("state")
    labels = {
        None: _("All"),
        "paid": _("To pack"),
        "packed": _("To ship"),
        "shipped": _("Shipped"),
        "delivered": _("Received"),
        "completed": _("Completed"),
        "placed": _("Unpaid"),
        "cancelled": _("Cancelled"),
        "closed": _("Closed"),
    }
    return [
        {
            "label": label,
            "url": _url(filters, state=state),
            "active": chosen == state,
            "count": waiting.get(state or "") or None,
        }
        for state, label in labels.items()
    ]


def _row(order: Order, member: Member, unit_names_: Mapping[int, str]) -> dict[str, Any]:
    price, cash = price_of(order.points, order.cash_due)
    line, pieces = order.lines[0], sum(each.quantity for each in order.lines)
    variant = translated(line.variant_name) if len(order.lines) == 1 else ""
    return {
        "number": order.number,
        "url": url_for(".show", number=order.number),
        "picture": picture_of(line.picture),
        "placed": moment(order.placed_at, "short"),
        "member": member.label,
        "member_code": member.code,
        "goods": goods_name(order),
        "goods_meta": f"{variant} · × {pieces}" if variant else f"× {pieces}",
        "unit": unit_names_.get(order.unit_id, ""),
        "price": price,
        "cash": cash,
        "state": label_of(order),
        "tone": TONES[order.state],
        "priority": order.priority and order.state in queries.WAITING,
    }


# --- one order ----------------------------------------------------------------------------


def order_or_404(number: str) -> Order:
    """An order of this colleague's units; others are not there."""
    order = queries.office_order(number, units=unit_scope(current_staff())) if is_number(number) else None
    return order or abort(404)


@orders.get("/<number>")
@requires(Permission.ORDER_READ)
def show(number: str) -> ResponseReturnValue:
    return _order_page(order_or_404(number), ShipmentForm(formdata=None))


def _order_page(order: Order, form: ShipmentForm, *, status: int = 200) -> ResponseReturnValue:
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
        form=form,
        can_pack=_can(order, "packed"),
        can_ship=_can(order, "shipped"),
        can_serve=_can(order, "delivered"),
        index_url=url_for(".index"),
        packing_url=url_for(".create_packing", number=order.number),
        shipment_url=url_for(".create_shipment", number=order.number),
        handover_url=url_for(".create_handover", number=order.number),
    )


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
    order, staff, form = order_or_404(number), current_staff(), ShipmentForm()
    if not form.validate():
        return _order_page(order, form, status=422)
    try:
        with transaction():
            actions.ship(
                order_id=order.id,
                carrier=form.carrier_name,
                tracking_number=form.tracking_number.data or "",
                by=staff.actor,
                now=clock.now(),
            )
    except states.StepRefused as error:
        refuse(form, error)
        return _order_page(order_or_404(number), form, status=error.status)
    return seen(url_for(".show", number=number))


@orders.post("/<number>/handover")
@requires(Permission.ORDER_FULFIL)
def create_handover(number: str) -> ResponseReturnValue:
    order, staff = order_or_404(number), current_staff()
    with transaction():
        actions.serve(order_id=order.id, by=staff.actor, now=clock.now())
    return seen(url_for(".show", number=number))
