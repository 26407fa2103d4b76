"""How each kind of product reaches its buyer, and how far it can be taken back before that.

What is sent is fulfilled by parcels, what is collected when it is handed over, and a booked time when it is attended.
Codes come out of their pool as soon as they are paid, and so does whatever a product grants.
"""

from __future__ import annotations

from datetime import datetime

from app.mall.catalog.actions import grantor_of
from app.mall.codes import actions as codes
from app.mall.orders.errors import NotToBeGivenUp
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.steps import line_key
from app.mall.slots import actions as slots

BY_HAND = ("physical", "service")  # Somebody hands it over or sends it; all else reaches its buyer by itself.


def hand_out_codes(order: Order, line: OrderLine, *, now: datetime) -> int:
    """How many codes of the line its buyer has now got; fewer than are open where the pool has run dry."""
    return codes.hand_out(
        variant_id=line.variant_id, order_line_id=line.id, member_id=order.member_id, pieces=line.open, now=now
    )


def grant(order: Order, line: OrderLine, *, now: datetime) -> int:
    """Give what the line grants; none where nobody gives such things any more, and the line stays open."""
    grantor = grantor_of(line.kind)
    given = grantor is not None and grantor.give(
        member_id=order.member_id, code=line.grants, pieces=line.open, key=line_key(order, line), now=now
    )
    return line.open if given else 0


def take_back(order: Order, line: OrderLine, pieces: int, *, now: datetime) -> int:
    """Take pieces back that have not been sent, looked at, attended or used. Returns how many had reached their buyer.

    Raises ``NotToBeGivenUp``.
    """
    if pieces <= line.open:
        if line.kind == "service":
            slots.release(order_line_id=line.id, places=pieces, now=now)
        return 0
    if line.kind == "code":
        handed = pieces - line.open
        if codes.take_back(order_line_id=line.id, pieces=handed) < handed:
            raise NotToBeGivenUp
        return handed
    if line.kind not in BY_HAND and line.fulfilled:
        return _take_grant_back(order, line, pieces, now=now)
    raise NotToBeGivenUp


def is_unused(order: Order, line: OrderLine) -> bool:
    """Could what a line granted be taken back?"""
    grantor = grantor_of(line.kind)
    if grantor is None:
        return False
    return grantor.unused(member_id=order.member_id, code=line.grants, key=line_key(order, line))


def _take_grant_back(order: Order, line: OrderLine, pieces: int, *, now: datetime) -> int:
    """What a line granted goes as a whole or not at all."""
    grantor = grantor_of(line.kind)
    if grantor is None or pieces != line.quantity - line.cancelled:
        raise NotToBeGivenUp
    if not grantor.take_back(member_id=order.member_id, code=line.grants, key=line_key(order, line), now=now):
        raise NotToBeGivenUp
    return line.fulfilled
