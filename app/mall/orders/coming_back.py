"""What returns and exchanges need of an order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa

from app.foundation import clock, events
from app.foundation.actors import Actor
from app.foundation.database import db
from app.mall.catalog import actions as catalog
from app.mall.codes import actions as codes
from app.mall.orders import fulfilling, queries
from app.mall.orders.events import OrderPlaced
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.paying import become_paid
from app.mall.orders.rules import order_number
from app.mall.orders.steps import locked, write_step


def lock_order(*, order_id: int) -> None:
    """Whatever moves of an order, its row is locked first."""
    locked(order_id)


def hold_open(*, order_id: int, open_: bool) -> Order:
    """While a return of it is open, an order is not completed. Locks the order, and returns it with its lines."""
    order = locked(order_id)
    order.return_open = open_
    db.session.flush()
    return order


def note_returned(*, order: Order, pieces: Mapping[int, int]) -> None:
    """So many pieces of lines, by their id, have come back. The caller has locked the order."""
    for line_id, count in pieces.items():
        mine = sa.update(OrderLine).where(OrderLine.id == line_id, OrderLine.order_id == order.id)
        db.session.execute(mine.values(returned=OrderLine.returned + count))


def restock(*, order: Order, pieces: Mapping[int, int], by: Actor, now: datetime) -> None:
    """Put what came back onto the shelf again, by variant. The caller has locked the order."""
    for variant_id, count in sorted(pieces.items()):
        catalog.change_stock(
            variant_id=variant_id, change=count, reason="return", reference=order.number, by=by, now=now
        )
        codes.level_stock(variant_id=variant_id, by=by, now=now)  # A code that was looked at is nobody else's.


def replace(*, order: Order, pieces: Mapping[int, int], key: str, by: Actor, now: datetime) -> Order:
    """Send pieces of the order's lines once more, by the line's id, for nothing: an order of its own, paid at once.

    The caller has locked the order. ``key`` names the case. Raises ``OutOfStock``.
    """
    if earlier := queries.order_of_key(order.member_id, key):
        return earlier
    lines = [line for line in order.lines if line.id in pieces]
    row = {
        "number": order_number(clock.local_date(now, clock.programme_zone())),
        "key": key,
        "member_id": order.member_id,
        "unit_id": order.unit_id,
        "state": "placed",
        "parcel": order.parcel,
        "points": 0,
        "cash": 0,
        "ordinary": 0,
        "currency": order.currency,
        "address": order.address,
        "delivery": order.delivery,
        "priority": order.priority,
        "placed_at": now,
        "pay_by": now,
    }
    made = Order(**row)
    db.session.add(made)
    db.session.flush()
    wanted: Counter[int] = Counter()
    for line in lines:
        wanted[line.variant_id] += pieces[line.id]
    codes.let_ended_go(variant_ids=wanted, now=now)
    catalog.take_pieces(pieces=wanted, number=made.number, by=by, now=now)
    copied = ("variant_id", "sku", "category", "kind", "grants", "name", "variant_name", "picture")
    for line in lines:
        facts = {name: getattr(line, name) for name in copied}
        free = {"points_each": 0, "cash_each": 0, "ordinary_each": 0}
        db.session.add(OrderLine(order_id=made.id, quantity=pieces[line.id], **facts, **free))
    write_step(made, "placed", by=by, now=now)
    events.publish(OrderPlaced(made.id, now))
    fulfilling.hand_out_codes(order=made, now=now)
    become_paid(made, now=now)
    return made
