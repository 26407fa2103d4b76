"""Orders as a file for spreadsheets: CSV in UTF-8, made while it is sent, whatever its length."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.sheets import BOM, safe
from app.identity.members.queries import members_by_ids
from app.mall.orders.models import Order
from app.mall.orders.statements import address_of, label_of, way_of
from app.mall.orders.worklist import Asked, every_order_asked_for

if TYPE_CHECKING:
    from app.identity.members.models import Member


def csv_of(asked: Asked, units: Mapping[int, str]) -> Iterator[str]:
    """One row for each order. ``units`` are the names of those asked for."""
    titles = [
        _("Order"),
        _("Ordered"),
        _("State"),
        _("Unit"),
        _("Member code"),
        _("Member"),
        _("Goods"),
        _("Pieces"),
        _("Still to come"),
        _("Points"),
        _("Cash"),
        _("Currency"),
        _("Delivery"),
        _("Recipient"),
        _("Phone"),
        _("Address"),
        _("Parcels"),
    ]
    yield BOM + _rows([titles])
    for orders in every_order_asked_for(asked):
        members = members_by_ids({order.member_id for order in orders})
        yield _rows(_cells(order, members[order.member_id], units) for order in orders)


def _cells(order: Order, member: Member, units: Mapping[int, str]) -> list[Any]:
    way = way_of(order)
    recipient, phone, *where = address_of(order) or ["", ""]
    return [
        order.number,
        _moment(order.placed_at),
        label_of(order),
        safe(units.get(order.unit_id, "")),
        safe(member.code),
        safe(member.label),
        safe("; ".join(f"{line.sku} × {line.quantity}" for line in order.lines)),
        sum(line.quantity for line in order.lines),
        sum(line.open for line in order.lines) if order.state not in ("cancelled", "closed") else 0,
        order.points,
        str(order.cash_due.decimal),
        order.currency,
        safe(way.label if way else ""),
        safe(recipient),
        safe(phone),
        safe(", ".join(where)),
        safe("; ".join(f"{parcel.carrier} {parcel.tracking_number}" for parcel in order.shipments)),
    ]


def _moment(moment: datetime) -> str:
    return moment.astimezone(clock.programme_zone()).strftime("%Y-%m-%d %H:%M:%S")


def _rows(rows: Iterable[list[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
