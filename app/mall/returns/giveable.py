"""What of a paid order can still be given up, and until when its member may.

A member gives up parcels until they are packed, booked times until shortly before, and codes that nobody looked at and
grants that nobody used as long as other things can be sent back. Staff give up whatever has not reached the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from app.foundation.actors import Actor
from app.foundation.errors import DomainError
from app.mall.codes.queries import unseen
from app.mall.orders.actions import NotToBeGivenUp, is_unused
from app.mall.returns.errors import AlreadyOpen, BeingPacked, NothingChosen, NothingToGiveUp, WindowOver
from app.mall.returns.queries import sent_instead, window_ends
from app.mall.slots.queries import given_up_until

if TYPE_CHECKING:
    from app.mall.orders.models import Order, OrderLine

UNPAID_OR_OVER = ("placed", "cancelled", "closed")


def giveable(order: Order, *, by: Actor, now: datetime) -> dict[int, int]:
    """How many pieces, by line, can be given up now by this hand. What is confirmed later is looked at once more."""
    if order.return_open:
        return {}
    left = not_reached(order)
    kept = _refusals(order, now=now) if left and by.kind == "member" else {}
    return {line_id: count for line_id, count in left.items() if line_id not in kept}


def check_giveable(order: Order, pieces: Mapping[int, int], *, by: Actor, now: datetime) -> None:
    """Raises why these pieces, by line, cannot be given up now by this hand."""
    if order.return_open:
        raise AlreadyOpen
    if not pieces:
        raise NothingChosen() if giveable(order, by=by, now=now) else _why_nothing(order, by=by, now=now)
    if by.kind == "member":
        kept = _refusals(order, now=now)
        for line_id in pieces:
            if line_id in kept:
                raise kept[line_id]
    left = not_reached(order)
    if any(not 1 <= count <= left.get(line_id, 0) for line_id, count in pieces.items()):
        raise NotToBeGivenUp


def _why_nothing(order: Order, *, by: Actor, now: datetime) -> DomainError:
    """What keeps the first line of which something is left from being given up."""
    kept = [line.id for line in order.lines if line.returned < line.quantity]
    if order.state in UNPAID_OR_OVER or not kept:
        return NothingToGiveUp()
    refusals = _refusals(order, now=now) if by.kind == "member" else {}
    return refusals.get(kept[0]) or NotToBeGivenUp()


def not_reached(order: Order) -> dict[int, int]:
    """How many pieces of which line were not sent, looked at, attended or used."""
    if order.state in UNPAID_OR_OVER:
        return {}
    codes = unseen([line.id for line in order.lines if line.kind == "code" and line.fulfilled])
    counts = {line.id: _of_line(order, line, codes.get(line.id, 0)) for line in order.lines}
    return {line_id: count for line_id, count in counts.items() if count}


def _of_line(order: Order, line: OrderLine, unseen_codes: int) -> int:
    kept = line.quantity - line.returned
    if line.kind == "code":
        return min(kept, line.open + unseen_codes)
    if line.grants and line.fulfilled:  # What a line granted goes as a whole or not at all.
        return kept if kept == line.quantity - line.cancelled and is_unused(order, line) else 0
    return min(kept, line.open)


def _refusals(order: Order, *, now: datetime) -> dict[int, DomainError]:
    """Why its member cannot give a line up any more, by line."""
    if sent_instead(order.id):  # It cost nothing; what it was sent for is another order's.
        return {line.id: NothingToGiveUp() for line in order.lines}
    times, window = given_up_until([line.id for line in order.lines if line.kind == "service"]), window_ends(order)
    found: dict[int, DomainError] = {}
    for line in order.lines:
        until = times.get(line.id) if line.kind == "service" else window
        if line.kind == "physical" and order.state != "paid":
            found[line.id] = BeingPacked()
        elif until and now >= until:
            found[line.id] = WindowOver(until)
    return found
