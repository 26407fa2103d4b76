"""Verbs of bookings. A member who does not come after all cancels the order: that is ``returns.cancel``.

Locks: the order first; then what the verbs of orders, returns and slots lock.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock
from app.foundation.actors import SYSTEM, Actor
from app.foundation.terms import current
from app.mall.bookings.errors import NotYet, TooLateToMove
from app.mall.orders import actions as orders
from app.mall.orders.queries import order_by_id
from app.mall.returns import actions as returns
from app.mall.slots import actions as slots
from app.mall.slots.queries import Booked, NotBooked, SlotTerms, booking_of_lines

if TYPE_CHECKING:
    from app.mall.orders.models import Order

audit.describe("booking", _l("Booking"), {"booking.missed": _l("Did not come")})


def move(*, order_id: int, slot_id: int, now: datetime) -> None:
    """Its member comes at another time of the same service. Nothing is paid or paid back.

    Moving to where it is changes nothing. Raises ``NotBooked``, ``TooLateToMove``, ``TimeGone`` or ``TimeFull``.
    """
    _order, booked = _locked(order_id)
    if booked.slot_id == slot_id:
        return  # A double click sends two identical requests.
    until = booked.starts_at - current(SlotTerms).to_move
    if now >= until:
        raise TooLateToMove(until)
    slots.move(order_line_id=booked.order_line_id, slot_id=slot_id, now=now)


def call_off(*, order_id: int, slot_id: int, reason: str, by: Actor, now: datetime) -> bool:
    """The shop cannot give it: everything is paid back as caused by the shop, and the member reads the reason.

    ``False`` where it is not booked for this slot any more. Raises what ``returns.cancel`` raises.
    """
    orders.lock_order(order_id=order_id)
    order = order_by_id(order_id)
    booked = _booking(order)
    if booked is None or booked.state != "booked" or booked.slot_id != slot_id:
        return False
    if order.state == "placed":
        orders.cancel(order_id=order.id, note=reason, by=by, now=now)
    else:
        key = f"slot-{slot_id:0>10}-{order.number}"
        returns.cancel(order_id=order.id, reason="unavailable", note=reason, key=key, by=by, now=now)
    return True


def attend(*, order_id: int, by: Actor, now: datetime) -> None:
    """They have come. Also on the day itself before the time: people come early. Raises ``NotBooked`` or ``NotYet``."""
    order, booked = _locked(order_id)
    zone = clock.programme_zone()
    if clock.local_date(booked.starts_at, zone) > clock.local_date(now, zone):
        raise NotYet
    slots.attend(order_line_ids=[booked.order_line_id], now=now)  # Orders alone would wait for the time itself.
    orders.serve(order_id=order.id, by=by, now=now)


def miss(*, order_id: int, by: Actor, now: datetime) -> None:
    """They did not come: the order counts as delivered, and nothing is paid back. Audited.

    Raises ``NotBooked`` or ``NotYet``.
    """
    order, booked = _locked(order_id)
    if now < booked.starts_at:
        raise NotYet
    slots.miss(order_line_ids=[booked.order_line_id], now=now)
    orders.serve(order_id=order.id, by=by, now=now)
    audit.record(
        "booking.missed",
        subject=("booking", order.number, order.number),
        by=by,
        now=now,
        after={"starts_at": booked.starts_at.isoformat(), "places": booked.places},
    )


def take_as_attended(*, order_id: int, now: datetime) -> None:
    """Its time ended long ago, and nobody said anything. Raises ``NotBooked``."""
    order, _booked = _locked(order_id)
    orders.confirm_delivery(order_id=order.id, by=SYSTEM, now=now)


def _locked(order_id: int) -> tuple[Order, Booked]:
    """A paid order whose booking waits for its time. Raises ``NotBooked``."""
    orders.lock_order(order_id=order_id)
    order = order_by_id(order_id)
    booked = _booking(order)
    if order.state != "paid" or booked is None or booked.state != "booked":
        raise NotBooked
    return order, booked


def _booking(order: Order) -> Booked | None:
    return booking_of_lines([line.id for line in order.lines])
