"""What lies beside the goods: the list by which they are picked, and the slip that goes into the parcel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import segno
from flask_babel import gettext as _
from markupsafe import Markup

from app.foundation.formats import day
from app.foundation.languages import translated
from app.foundation.money import Money
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.sending import to_send
from app.mall.orders.statements import address_of, name_of, price_line, price_of, way_of
from app.mall.orders.states import OPEN


@dataclass(frozen=True, slots=True)
class Pick:
    """So many pieces of one SKU, for so many orders."""

    category: str
    sku: str
    name: str
    pieces: int
    orders: int


@dataclass(frozen=True, slots=True)
class PickedOrder:
    number: str
    recipient: str
    delivery: str
    priority: bool
    lines: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class PickList:
    """``picks`` by shelf: category, then SKU. ``orders`` in the order in which they are worked off."""

    picks: list[Pick]
    orders: list[PickedOrder]

    @property
    def pieces(self) -> int:
        return sum(pick.pieces for pick in self.picks)


def pick_list(orders: Sequence[Order], categories: Mapping[str, Mapping[str, str]]) -> PickList:
    """What is to be fetched for those of these orders that still wait for a parcel."""
    waiting = [order for order in orders if order.parcel and order.state in OPEN and to_send(order)]
    by_sku: dict[str, list[OrderLine]] = {}
    for order in waiting:
        for line in to_send(order):
            by_sku.setdefault(line.sku, []).append(line)
    picks = [
        Pick(
            category=translated(categories.get(lines[0].category)) or lines[0].category,
            sku=sku,
            name=name_of(lines[0]),
            pieces=sum(line.open for line in lines),
            orders=len({line.order_id for line in lines}),
        )
        for sku, lines in by_sku.items()
    ]
    return PickList(
        sorted(picks, key=lambda pick: (pick.category, pick.sku)), [_picked_order(order) for order in waiting]
    )


def _picked_order(order: Order) -> PickedOrder:
    lines = sorted(to_send(order), key=lambda line: (line.category, line.sku))
    return PickedOrder(
        number=order.number,
        recipient=(order.address or {}).get("recipient", ""),
        delivery=_delivery(order),
        priority=order.priority,
        lines=[(line.sku, name_of(line), line.open) for line in lines],
    )


def _delivery(order: Order) -> str:
    way = way_of(order)
    return way.label if way else ""


@dataclass(frozen=True, slots=True)
class Slip:
    """``lines``: (pieces, name, SKU, price). A slip without prices has no ``total`` either."""

    lang: str
    shop: str
    number: str
    code: Markup
    placed: str
    delivery: str
    address: list[str]
    lines: list[tuple[int, str, str, str]]
    apart: str
    total: str


def slip_of(order: Order, unit: Mapping[str, Any], *, locale: str, prices: bool) -> Slip:
    """The slip for its next parcel, or for all of it when everything has been sent. In the language of the moment."""
    underway = order.state in OPEN
    lines = [(line, line.open if underway else line.fulfilled) for line in order.lines if line.kind == "physical"]
    return Slip(
        lang=locale.replace("_", "-"),
        shop=translated(unit),
        number=order.number,
        code=barcode(order.number),
        placed=day(order.placed_at),
        delivery=_delivery(order),
        address=address_of(order),
        lines=[
            (pieces, name_of(line), line.sku, _price(line, pieces, order.currency) if prices else "")
            for line, pieces in lines
            if pieces
        ],
        apart=_apart(order) if underway else "",
        total=price_line(order) if prices else "",
    )


def _price(line: OrderLine, pieces: int, currency: str) -> str:
    price = price_of(line.points_each * pieces, Money(line.cash_each * pieces, currency))
    return " ".join(filter(None, price))


def _apart(order: Order) -> str:
    """What of the order does not lie in this parcel."""
    if order.shipments:
        return _("The rest of your order came in an earlier parcel.")
    if any(line.kind != "physical" for line in order.lines):
        return _("The rest of your order needs no parcel: you find it in your account.")
    return ""


def barcode(number: str) -> Markup:
    """The order's number to be scanned. Only attributes, no styles: the Content-Security-Policy stays strict."""
    drawn = segno.make(number, error="m", micro=False)
    picture = drawn.svg_inline(scale=3, border=2, light="#fff", dark="#000", omitsize=True, svgclass="slip-code")
    return Markup(picture)  # noqa: S704 - an order's number is letters and digits
