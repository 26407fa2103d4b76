"""How each kind of product reaches its buyer, and how far it can be taken back before that.

What is sent is fulfilled by parcels, what is collected when it is handed over, and a booked time when it is attended.
Codes come out of their pool as soon as they are paid, and so does whatever a product grants.
"""

from __future__ import annotations

from datetime import datetime

from app.mall.catalog.actions import grantor_of
from app.mall.codes import actions as codes
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
    if grantor is None:
        return 0
    grantor.give(member_id=order.member_id, code=line.grants, pieces=line.open, key=line_key(order, line), now=now)
    return line.open


def take_back(order: Order, line: OrderLine, pieces: int, *, now: datetime) -> tuple[int, bool]:
    """Take so many pieces back that have not been sent, looked at, attended or used.

    Returns how many of them had reached the buyer already, or -1 where it cannot be taken back; and whether they can
    be sold again.
    """
    if line.kind == "code":
        handed = max(0, pieces - line.open)
        return (handed, True) if codes.take_back(order_line_id=line.id, pieces=handed) == handed else (-1, False)
    if line.kind not in BY_HAND and line.fulfilled:
        return _take_grant_back(order, line, pieces, now=now), True
    if pieces > line.open:
        return -1, False
    return 0, line.kind != "service" or slots.release(order_line_id=line.id, places=pieces, now=now)


def _take_grant_back(order: Order, line: OrderLine, pieces: int, *, now: datetime) -> int:
    """What a line granted goes as a whole or not at all."""
    grantor = grantor_of(line.kind)
    whole = pieces == line.quantity - line.cancelled
    if grantor is None or not whole:
        return -1
    taken = grantor.take_back(member_id=order.member_id, code=line.grants, key=line_key(order, line), now=now)
    return line.fulfilled if taken else -1
