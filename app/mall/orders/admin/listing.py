"""The list of orders, and what is done to several of them at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, flash, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import moment
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.members.queries import members_by_ids
from app.identity.session import current_staff
from app.mall.catalog.statements import picture_of
from app.mall.orders import actions, states, worklist
from app.mall.orders.admin.door import chosen, orders, scope
from app.mall.orders.admin.filters import Filters
from app.mall.orders.models import Order
from app.mall.orders.sheets import csv_of
from app.mall.orders.statements import TONES, goods_name, label_of, price_of

if TYPE_CHECKING:
    from app.identity.members.models import Member

PAGE = 50


@orders.get("")
@requires(Permission.ORDER_READ)
def index() -> ResponseReturnValue:
    filters = Filters.read()
    part = worklist.orders_asked_for(filters.asked, after=request.args.get("after"), limit=PAGE)
    members = members_by_ids({order.member_id for order in part.items})
    names = {unit.id: translated(unit.name) for unit in filters.units.values()}
    fulfils = allowed(Permission.ORDER_FULFIL)
    rows = [_row(order, members[order.member_id], names, fulfils=fulfils) for order in part.items]
    return page(
        "mall/orders/office/index.html",
        fragments={"results"},
        rows=rows,
        chips=filters.chips(worklist.how_many_wait(units=scope())),
        filters=filters.texts,
        narrowed=filters.narrowed,
        units=filters.unit_choices,
        deliveries=filters.delivery_choices,
        choosable=any(row["choosable"] for row in rows),
        all_chosen="chosen" in request.args,
        all_url=filters.url(chosen="all", after=request.args.get("after")),
        none_url=filters.url(after=request.args.get("after")),
        index_url=url_for(".index"),
        first_url=first_url(),
        next_url=next_url(part),
        here_url=request.full_path,
        selection_url=url_for(".create_selection"),
        export_url=filters.url(".export"),
        list_url=url_for(".new_parcels") if fulfils else None,
    )


def _row(order: Order, member: Member, unit_names_: Mapping[int, str], *, fulfils: bool) -> dict[str, Any]:
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
        "priority": order.priority and order.state in states.OPEN,
        "choosable": fulfils and order.parcel and order.state in states.OPEN,
    }


# --- several at once ------------------------------------------------------------------------


@orders.post("/selection")
@requires(Permission.ORDER_FULFIL)
def create_selection() -> ResponseReturnValue:
    """What is to be done with the orders that were chosen in the list."""
    back, numbers = local_url(request.form.get("next"), url_for(".index")), chosen(request.form.getlist("number"))
    if not numbers:
        flash(_("Please choose the orders first."), "warning")
        return seen(back)
    match request.form.get("do"):
        case "pick":
            return seen(url_for(".show_pick_list", number=numbers))
        case "slips":
            return seen(url_for(".packing_slips", number=numbers))
        case "pack":
            _pack(numbers)
    return seen(back)


def _pack(numbers: list[str]) -> None:
    """Each by itself: one that cannot be packed does not hold up the others."""
    by, packed, refused = current_staff().actor, 0, []
    found = [(order.id, order.number) for order in worklist.orders_numbered(numbers, units=scope())]
    for order_id, number in found:
        try:
            with transaction():
                actions.pack(order_id=order_id, by=by, now=clock.now())
        except DomainError as error:
            refused.append(_("%(number)s: %(reason)s", number=number, reason=str(error)))
        else:
            packed += 1
    if packed:
        flash(ngettext("%(num)s order is packed.", "%(num)s orders are packed.", packed), "success")
    for sentence in refused:
        flash(sentence, "warning")


# --- as a file ------------------------------------------------------------------------------


@orders.get("/export.csv")
@requires(Permission.ORDER_READ)
def export() -> ResponseReturnValue:
    """The list with its filters, whatever its length: made while it is sent."""
    filters = Filters.read()
    names = {unit.id: translated(unit.name) for unit in filters.units.values()}
    today = clock.local_date(clock.now(), clock.programme_zone())
    return Response(
        stream_with_context(csv_of(filters.asked, names)),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f'attachment; filename="orders-{today.isoformat()}.csv"',
            "Cache-Control": "private, no-store",
        },
    )
