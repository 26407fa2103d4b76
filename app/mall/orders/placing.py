"""Placing an order: stock is reserved, points are held, a time is booked, or nothing happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from app.foundation import clock, events
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.members.queries import member_by_id
from app.loyalty.ledger import actions as ledger
from app.mall.catalog import actions as catalog
from app.mall.codes import actions as codes
from app.mall.orders import fulfilling, queries
from app.mall.orders.errors import AddressMissing, PriceChanged
from app.mall.orders.events import OrderPlaced
from app.mall.orders.explanations import KIND, redeeming
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.paying import become_paid
from app.mall.orders.quotes import Quote, Wanted, quote
from app.mall.orders.rules import GRACE, Figures, complete_address, is_key, order_number
from app.mall.orders.steps import ledger_key, write_step
from app.mall.orders.terms import OrderTerms
from app.mall.payments import actions as payments
from app.mall.slots import actions as slots

PICKUP = "pickup"
TRIES = 8  # Numbers are random; one in a thousand million of a day's is taken already.


def place(
    *,
    member_id: int,
    wanted: Sequence[Wanted],
    address: Mapping[str, Any] | None,
    key: str,
    expected: Figures,
    offset_points: int = 0,
    delivery: str = "",
    now: datetime,
) -> Order:
    """Order what is wanted of one unit: stock is reserved and points are held, or nothing happens.

    ``key`` is the form's own: the same form sent again returns the order it made. ``expected`` is
    what the person saw. With nothing to pay in cash the order is paid at once, else it waits
    for ``begin_payment``. Raises what ``quote`` raises, ``PriceChanged``, ``AddressMissing``,
    ``OutOfStock``, ``InsufficientPoints``, ``WalletFrozen``, ``GatewayUnavailable`` or ``NotCollectable``.
    """
    if not is_key(key):
        raise InvalidInput(_("This form is damaged. Nothing was ordered; please open the page again."))
    if earlier := queries.order_of_key(member_id, key):
        return earlier  # A double click sends two identical requests.
    quoted = quote(member_id=member_id, wanted=wanted, offset_points=offset_points, delivery=delivery, now=now)
    if quoted.figures != expected:
        raise PriceChanged(expected, quoted.figures)
    if quoted.figures.cash:
        payments.refuse_uncollectable(quoted.figures.cash)
    destination = complete_address(address) if needs_address(quoted) else None
    if needs_address(quoted) and destination is None:
        raise AddressMissing
    order = _insert(quoted, member_id=member_id, key=key, address=destination, now=now)
    if order is None:
        return _made_meanwhile(member_id, key)
    member = _actor(member_id)
    if any(line.offer.kind == "code" for line in quoted.lines):
        codes.let_ended_go(variant_ids=quoted.pieces, now=now)
    # The stock is locked before the lines are written: a line's foreign key shares a lock on the variant,
    # and two orders that both share it would wait for each other to let go.
    catalog.take_pieces(pieces=quoted.pieces, number=order.number, by=member, now=now)
    lines = _order_lines(order, quoted)
    db.session.add_all(lines)
    write_step(order, "placed", by=member, now=now)
    _book_times(order, quoted, lines, now=now)
    if not order.cash and any(line.kind == "code" for line in lines):
        fulfilling.hand_out_codes(order=order, now=now)
    if order.points:
        _take_points(order, quoted, now=now)
    events.publish(OrderPlaced(order.id, now))
    if not order.cash:
        become_paid(order, now=now)
    return order


def needs_address(quoted: Quote) -> bool:
    """Is there a parcel that somebody has to bring?"""
    return quoted.delivery is not None and quoted.delivery.code != PICKUP


def _actor(member_id: int) -> Actor:
    member = member_by_id(member_id)
    return member.actor if member else Actor("member", member_id, "")


def _insert(quoted: Quote, *, member_id: int, key: str, address: dict[str, str] | None, now: datetime) -> Order | None:
    """The order's row, unless the same form has made one: a parallel twin waits here for the first to finish."""
    made = quoted.bill
    row: dict[str, Any] = {
        "key": key,
        "member_id": member_id,
        "unit_id": quoted.unit_id,
        "state": "placed",
        "parcel": address is not None,
        "points": made.points,
        "cash": made.cash,
        "ordinary": made.ordinary,
        "coupon": made.coupon,
        "offset": made.offset,
        "offset_points": made.offset_points,
        "delivery": quoted.delivery.code if quoted.delivery else "",
        "delivery_fee": made.delivery,
        "priority": quoted.priority,
        "currency": quoted.currency,
        "placed_at": now,
        "pay_by": _pay_by(quoted, now=now),
    }
    if address is not None:
        row["address"] = address
    for _try in range(TRIES):
        row["number"] = order_number(clock.local_date(now, clock.programme_zone()))
        if inserted := insert_new(Order, [row], unless=(), returning=[Order.id]):
            return db.session.get_one(Order, inserted[0].id)
        if queries.order_of_key(member_id, key):
            return None
    raise RuntimeError("No free order number was found.")


def _pay_by(quoted: Quote, *, now: datetime) -> datetime:
    """What is booked is paid before it begins."""
    begins = [line.slot.starts_at for line in quoted.lines if line.slot is not None]
    return min([now + current(OrderTerms).pay_within, *begins])


def _made_meanwhile(member_id: int, key: str) -> Order:
    order = queries.order_of_key(member_id, key)
    if order is None:
        raise RuntimeError("The twin that held this key has gone; the insert should have succeeded.")
    return order


def _order_lines(order: Order, quoted: Quote) -> list[OrderLine]:
    return [
        OrderLine(
            order_id=order.id,
            variant_id=line.offer.variant_id,
            sku=line.offer.sku,
            category=line.offer.category,
            kind=line.offer.kind,
            grants=line.offer.grants,
            name=dict(line.offer.name),
            variant_name=dict(line.offer.variant_name),
            picture=line.offer.picture,
            quantity=line.quantity,
            points_each=int(line.way.points),
            cash_each=line.way.cash.amount,
            ordinary_each=line.ordinary.cash.amount,
            coupon=share.coupon,
            offset=share.offset,
            offset_points=share.offset_points,
        )
        for line, share in zip(quoted.lines, quoted.bill.shares, strict=True)
    ]


def _book_times(order: Order, quoted: Quote, lines: Sequence[OrderLine], *, now: datetime) -> None:
    for line, wanted in zip(lines, quoted.lines, strict=True):
        if wanted.slot is not None:
            slots.book(
                slot_id=wanted.slot.id,
                variant_id=line.variant_id,
                order_line_id=line.id,
                order_number=order.number,
                member_id=order.member_id,
                places=line.quantity,
                now=now,
            )


def _take_points(order: Order, quoted: Quote, *, now: datetime) -> None:
    """Points alone are spent at once; beside cash they are held until it is paid."""
    request: dict[str, Any] = {
        "member_id": order.member_id,
        "amount": Points(order.points),
        "key": ledger_key(order, "hold" if order.cash else "redeem"),
        "kind": KIND,
        "unit_id": order.unit_id,
        "explanation": redeeming(number=order.number, quoted=quoted),
    }
    if order.cash:
        ledger.hold(**request, deadline=order.pay_by + GRACE, now=now)
    else:
        ledger.spend(**request, now=now)
