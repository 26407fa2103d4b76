"""Verbs of orders. Each takes one step of ``states.TRANSITIONS``, writes it down and tells the floors above.

Locks: order → payment → stock → wallet. Whatever of an order moves, its row is locked first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, events
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.members.queries import member_by_id
from app.loyalty.ledger import actions as ledger
from app.mall.catalog import actions as catalog
from app.mall.orders import queries, states
from app.mall.orders.errors import AddressMissing, PaymentOver, PriceChanged
from app.mall.orders.events import (
    OrderCancelled,
    OrderClosed,
    OrderCompleted,
    OrderDelivered,
    OrderPaid,
    OrderPlaced,
    OrderShipped,
)
from app.mall.orders.explanations import KIND, redeeming, releasing
from app.mall.orders.models import Order, OrderLine, OrderStep
from app.mall.orders.quotes import Quote, Wanted, quote
from app.mall.orders.rules import Figures, complete_address, is_key, order_number
from app.mall.orders.terms import OrderTerms
from app.mall.payments import actions as payments

audit.describe(
    "order",
    _l("Order"),
    {
        "order.packed": _l("Order packed"),
        "order.shipped": _l("Order shipped"),
        "order.delivered": _l("Order delivered"),
    },
)

# A payment that arrives just after its time still finds the points, unless the order was closed meanwhile.
GRACE = timedelta(hours=1)
PICKUP = "pickup"
TRIES = 8  # Numbers are random; one in a thousand million of a day's is taken already.


# --- placing --------------------------------------------------------------------------------


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
    # The stock is locked before the lines are written: a line's foreign key shares a lock on the variant,
    # and two orders that both share it would wait for each other to let go.
    catalog.take_pieces(pieces=quoted.pieces, number=order.number, by=member, now=now)
    db.session.add_all(_order_lines(order, quoted))
    _write_step(order, "placed", by=member, now=now)
    if order.points:
        _hold(order, quoted, now=now)
    events.publish(OrderPlaced(order.id, now))
    if not order.cash:
        _become_paid(order, now=now)
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
        "pay_by": now + current(OrderTerms).pay_within,
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


def _hold(order: Order, quoted: Quote, *, now: datetime) -> None:
    ledger.hold(
        member_id=order.member_id,
        amount=Points(order.points),
        key=_key(order, "hold"),
        kind=KIND,
        unit_id=order.unit_id,
        explanation=redeeming(number=order.number, quoted=quoted),
        deadline=order.pay_by + GRACE,
        now=now,
    )


def _key(order: Order, what: str) -> str:
    return f"order:{order.number}:{what}"


# --- paying ---------------------------------------------------------------------------------


def begin_payment(*, order_id: int, now: datetime) -> payments.Attempt:
    """An attempt to pay the cash part, to be taken to the gateway after the commit. Raises ``PaymentOver``."""
    order = _locked(order_id)
    if order.state != "placed" or now >= order.pay_by:
        raise PaymentOver
    return payments.open_attempt(order_id=order.id, amount=order.cash_due, pay_by=order.pay_by, now=now)


def take_payment(*, order_id: int, payment_id: int, outcome: payments.Outcome, now: datetime) -> None:
    """What a gateway reported. Cash that no order waits for any more goes back by itself."""
    order = _locked(order_id)
    arrived = payments.settle(payment_id=payment_id, outcome=outcome, now=now)
    if not arrived:
        return
    if order.state == "placed" and now < order.pay_by + GRACE:
        payments.give_up(order_id=order.id, now=now)
        _become_paid(order, now=now)
        return
    payments.refund_rest(payment_id=payment_id, now=now)
    if order.state == "placed":
        _end(order, "closed", by=SYSTEM, now=now)  # Its hold ran out before any job looked.


def _become_paid(order: Order, *, now: datetime) -> None:
    _step(order, "paid", who="system", by=SYSTEM, now=now)
    if order.points:
        ledger.post_pending(key=_key(order, "redeem"), pending_key=_key(order, "hold"), now=now)
    events.publish(OrderPaid(order.id, now))
    if all(kind == "code" for kind in _kinds(order)):
        _deliver(order, who="system", by=SYSTEM, now=now)


def _kinds(order: Order) -> list[str]:
    return list(db.session.scalars(sa.select(OrderLine.kind).where(OrderLine.order_id == order.id)))


# --- ending without payment ------------------------------------------------------------------


def cancel(*, order_id: int, by: Actor, now: datetime) -> None:
    """The member gives an unpaid order up: points and stock are back at once. Raises ``StepRefused``."""
    _end(_locked(order_id), "cancelled", by=by, now=now)


def close_unpaid(*, order_id: int, now: datetime) -> bool:
    """Close an order whose time to pay has passed; ``False`` if it was paid or ended meanwhile."""
    order = _locked(order_id)
    if order.state != "placed" or now < order.pay_by:
        return False
    _end(order, "closed", by=SYSTEM, now=now)
    return True


def _end(order: Order, state: str, *, by: Actor, now: datetime) -> None:
    _step(order, state, who="member" if by.kind == "member" else "system", by=by, now=now)
    payments.give_up(order_id=order.id, now=now)
    for variant_id, quantity in _reserved(order):
        catalog.change_stock(
            variant_id=variant_id, change=quantity, reason="release", reference=order.number, by=by, now=now
        )
    if order.points:
        _release(order, now=now)
    events.publish((OrderCancelled if state == "cancelled" else OrderClosed)(order.id, now))


def _reserved(order: Order) -> list[tuple[int, int]]:
    """Variant and pieces, in the order in which stock is locked."""
    query = sa.select(OrderLine.variant_id, OrderLine.quantity).where(OrderLine.order_id == order.id)
    return [(row.variant_id, row.quantity) for row in db.session.execute(query.order_by(OrderLine.variant_id))]


def _release(order: Order, *, now: datetime) -> None:
    # Where the hold has reached its deadline, the points are back already.
    with suppress(ledger.AlreadyResolved):
        ledger.void_pending(
            key=_key(order, "release"),
            pending_key=_key(order, "hold"),
            now=now,
            why=releasing(number=order.number),
        )


# --- fulfilment -------------------------------------------------------------------------------


def pack(*, order_id: int, by: Actor, now: datetime) -> None:
    """A merchant has put the parcel together. Raises ``StepRefused``."""
    order = _locked(order_id)
    _audited_step(order, "packed", by=by, now=now)


def ship(*, order_id: int, carrier: str, tracking_number: str, by: Actor, now: datetime) -> None:
    """The parcel was handed over. Raises ``StepRefused``."""
    order = _locked(order_id)
    _audited_step(order, "shipped", by=by, now=now, carrier=carrier, tracking_number=tracking_number)
    order.carrier, order.tracking_number = carrier, tracking_number
    events.publish(OrderShipped(order.id, now))


def serve(*, order_id: int, by: Actor, now: datetime) -> None:
    """A merchant has handed out what needs no parcel. Raises ``StepRefused``."""
    order = _locked(order_id)
    _audit(order, "delivered", by=by, now=now)
    _deliver(order, who="merchant", by=by, now=now)


def confirm_delivery(*, order_id: int, by: Actor, now: datetime) -> None:
    """The member has it, or (``by`` the system) long enough has passed. Raises ``StepRefused``."""
    _deliver(_locked(order_id), who="member" if by.kind == "member" else "system", by=by, now=now)


def complete(*, order_id: int, now: datetime) -> None:
    """The return window has ended. Raises ``StepRefused``, also while a return of it is open."""
    order = _locked(order_id)
    if order.return_open:
        raise states.StepRefused(_("A return of this order is under way. Nothing was changed."))
    _step(order, "completed", who="system", by=SYSTEM, now=now)
    events.publish(OrderCompleted(order.id, now))


def _deliver(order: Order, *, who: states.Who, by: Actor, now: datetime) -> None:
    _step(order, "delivered", who=who, by=by, now=now)
    events.publish(OrderDelivered(order.id, now))


def _audited_step(order: Order, state: str, *, by: Actor, now: datetime, **facts: str) -> None:
    _audit(order, state, by=by, now=now, **facts)
    _step(order, state, who="merchant", by=by, now=now)


def _audit(order: Order, state: str, *, by: Actor, now: datetime, **facts: str) -> None:
    audit.record(
        f"order.{state}",
        subject=("order", order.number, order.number),
        by=by,
        now=now,
        before={"state": order.state},
        after={"state": state, **facts},
    )


def lock_order(*, order_id: int) -> None:
    """Whatever moves of an order, its row is locked first."""
    _locked(order_id)


# --- coming back ------------------------------------------------------------------------------


def hold_open(*, order_id: int, open_: bool) -> Order:
    """While a return of it is open, an order is not completed. Locks the order, and returns it with its lines."""
    order = _locked(order_id)
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
    catalog.take_pieces(pieces=wanted, number=made.number, by=by, now=now)
    copied = ("variant_id", "sku", "category", "kind", "name", "variant_name", "picture")
    for line in lines:
        facts = {name: getattr(line, name) for name in copied}
        free = {"points_each": 0, "cash_each": 0, "ordinary_each": 0}
        db.session.add(OrderLine(order_id=made.id, quantity=pieces[line.id], **facts, **free))
    _write_step(made, "placed", by=by, now=now)
    events.publish(OrderPlaced(made.id, now))
    _become_paid(made, now=now)
    return made


# --- steps -----------------------------------------------------------------------------------


def _locked(order_id: int) -> Order:
    return db.session.scalars(lock(LockOrder.ORDER, sa.select(Order).where(Order.id == order_id))).one()


def _step(order: Order, state: str, *, who: states.Who, by: Actor, now: datetime) -> None:
    states.check(order.state, state, who=who, parcel=order.parcel)
    order.state = state
    _write_step(order, state, by=by, now=now)


def _write_step(order: Order, state: str, *, by: Actor, now: datetime) -> None:
    db.session.add(OrderStep(order_id=order.id, state=state, at=now, by=by.label))
    db.session.flush()
