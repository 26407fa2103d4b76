"""What of a paid order can still be given up, and until when its member may.

A member gives up parcels until they are packed, booked times until shortly before, what they still wait for at any
time, and codes that nobody looked at and grants that nobody used as long as other things can be sent back. A code that
came later has as many days of its own. Staff give up whatever has not reached the member.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.foundation.actors import Actor
from app.foundation.errors import DomainError
from app.mall.codes.queries import unseen
from app.mall.orders.actions import NotToBeGivenUp, is_unused
from app.mall.orders.queries import return_days
from app.mall.returns.errors import AlreadyOpen, BeingPacked, NothingChosen, NothingToGiveUp, WindowOver
from app.mall.returns.queries import delivered_at, sent_instead
from app.mall.slots.queries import given_up_until

if TYPE_CHECKING:
    from app.mall.orders.models import Order, OrderLine

UNPAID_OR_OVER = ("placed", "cancelled", "closed")


def giveable(order: Order, *, by: Actor, now: datetime) -> dict[int, int]:
    """How many pieces, by line, can be given up now by this hand. What is confirmed later is looked at once more."""
    if order.return_open:
        return {}
    times = Times(order, by=by, now=now)
    left = _not_reached(order, times)
    kept = _refusals(order, left, times) if left else {}
    return {line_id: count for line_id, count in left.items() if line_id not in kept}


def check_giveable(order: Order, pieces: Mapping[int, int], *, by: Actor, now: datetime) -> None:
    """Raises why these pieces, by line, cannot be given up now by this hand."""
    if order.return_open:
        raise AlreadyOpen
    if not pieces:
        raise NothingChosen() if giveable(order, by=by, now=now) else _why_nothing(order, by=by, now=now)
    times = Times(order, by=by, now=now)
    left = _not_reached(order, times)
    kept = _refusals(order, left, times)
    for line_id in pieces:
        if line_id in kept:
            raise kept[line_id]
    if any(not 1 <= count <= left.get(line_id, 0) for line_id, count in pieces.items()):
        raise NotToBeGivenUp


def _why_nothing(order: Order, *, by: Actor, now: datetime) -> DomainError:
    """What keeps the first line that is still awaited from being given up, or the first one that is kept."""
    kept = sorted((line for line in order.lines if line.returned < line.quantity), key=lambda line: not line.open)
    if order.state in UNPAID_OR_OVER or not kept:
        return NothingToGiveUp()
    times = Times(order, by=by, now=now)
    refusals = _refusals(order, _not_reached(order, times), times)
    return next((refusals[line.id] for line in kept if line.id in refusals), NotToBeGivenUp())


class Times:
    """Until when its member may give up what has reached them; ``days`` each from when it came. Staff may always."""

    def __init__(self, order: Order, *, by: Actor, now: datetime) -> None:
        self.now, self.bound = now, by.kind == "member"
        at = delivered_at(order) if self.bound else None
        self.days = timedelta(days=return_days(order, at)) if at else None
        self.until = at + self.days if at and self.days else None

    @property
    def over(self) -> datetime | None:
        """When the time ended, if it has."""
        return self.until if self.until and self.now >= self.until else None

    @property
    def codes_since(self) -> datetime | None:
        """Only codes that were handed out later than this; ``None``: all of them."""
        return self.now - self.days if self.over and self.days else None


def _not_reached(order: Order, times: Times) -> dict[int, int]:
    """How many pieces of which line were not sent, looked at, attended or used."""
    if order.state in UNPAID_OR_OVER:
        return {}
    lines = [line.id for line in order.lines if line.kind == "code" and line.fulfilled]
    codes = unseen(lines, handed_after=times.codes_since)
    counts = {line.id: _of_line(order, line, codes.get(line.id, 0)) for line in order.lines}
    return {line_id: count for line_id, count in counts.items() if count}


def _of_line(order: Order, line: OrderLine, unseen_codes: int) -> int:
    kept = line.quantity - line.returned
    if line.kind == "code":
        return min(kept, line.open + unseen_codes)
    if line.grants and line.fulfilled:  # What a line granted goes as a whole or not at all.
        return kept if kept == line.quantity - line.cancelled and is_unused(order, line) else 0
    return min(kept, line.open)


def _refusals(order: Order, left: Mapping[int, int], times: Times) -> dict[int, DomainError]:
    """Why its member cannot give a line up any more, by line. What they still wait for knows no time but its own."""
    if not times.bound:
        return {}
    if sent_instead(order.id):  # It cost nothing; what it was sent for is another order's.
        return {line.id: NothingToGiveUp() for line in order.lines}
    booked = given_up_until([line.id for line in order.lines if line.kind == "service"])
    found: dict[int, DomainError] = {}
    for line in order.lines:
        until = booked.get(line.id)
        if line.kind == "physical" and line.open and order.state != "paid":
            found[line.id] = BeingPacked()
        elif line.kind == "service" and until and times.now >= until:
            found[line.id] = WindowOver(until)
        elif times.over and not line.open and not (line.kind == "code" and left.get(line.id)):
            found[line.id] = WindowOver(times.over)
    return found
