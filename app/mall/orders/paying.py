"""Paying an order, and what becomes of one that is not paid."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from flask_babel import gettext as _

from app.foundation import events
from app.foundation.actors import SYSTEM, Actor
from app.loyalty.ledger import actions as ledger
from app.mall.catalog import actions as catalog
from app.mall.orders import fulfilling, states
from app.mall.orders.errors import PaymentOver
from app.mall.orders.events import OrderCancelled, OrderClosed, OrderPaid
from app.mall.orders.explanations import releasing
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.rules import GRACE
from app.mall.orders.steps import ledger_key, lines_of, locked, step
from app.mall.payments import actions as payments
from app.mall.slots import actions as slots


def begin_payment(*, order_id: int, now: datetime) -> payments.Attempt:
    """An attempt to pay the cash part, to be taken to the gateway after the commit. Raises ``PaymentOver``."""
    order = locked(order_id)
    if order.state != "placed" or now >= order.pay_by:
        raise PaymentOver
    return payments.open_attempt(order_id=order.id, amount=order.cash_due, pay_by=order.pay_by, now=now)


def take_payment(*, order_id: int, payment_id: int, outcome: payments.Outcome, now: datetime) -> None:
    """What a gateway reported. Cash that no order waits for any more goes back by itself."""
    order = locked(order_id)
    arrived = payments.settle(payment_id=payment_id, outcome=outcome, now=now)
    if not arrived:
        return
    if order.state == "placed" and now < order.pay_by + GRACE:
        payments.give_up(order_id=order.id, now=now)
        fulfilling.hand_out_codes(order=order, now=now)
        become_paid(order, now=now)
        return
    payments.refund_rest(payment_id=payment_id, now=now)
    if order.state == "placed":
        _end(order, "closed", by=SYSTEM, now=now)  # Its hold ran out before any job looked.


def become_paid(order: Order, *, now: datetime) -> None:
    """Points that were held beside its cash are spent, and what needs nobody's hand reaches its buyer.

    The caller has locked the order and handed out its codes: their pools are locked before wallets.
    """
    step(order, "paid", who="system", by=SYSTEM, now=now)
    if order.points and order.cash:
        ledger.post_pending(key=ledger_key(order, "redeem"), pending_key=ledger_key(order, "hold"), now=now)
    events.publish(OrderPaid(order.id, now))
    fulfilling.grant(order=order, now=now)
    fulfilling.advance(order=order, by=SYSTEM, now=now)


# --- ending without payment ------------------------------------------------------------------


def cancel(*, order_id: int, by: Actor, now: datetime, note: str = "") -> None:
    """The member gives an unpaid order up, or the shop does and says why: points and stock are back at once.

    Raises ``StepRefused``. One that is paid is given up by ``returns.cancel``, which pays back what was paid.
    """
    order = locked(order_id)
    if order.state in states.OPEN:
        raise states.StepRefused(
            _("This order was paid meanwhile. Nothing was changed; reload to see where it stands.")
        )
    _end(order, "cancelled", by=by, now=now, note=note)


def close_unpaid(*, order_id: int, now: datetime) -> bool:
    """Close an order whose time to pay has passed; ``False`` if it was paid or ended meanwhile."""
    order = locked(order_id)
    if order.state != "placed" or now < order.pay_by:
        return False
    _end(order, "closed", by=SYSTEM, now=now)
    return True


def _end(order: Order, state: str, *, by: Actor, now: datetime, note: str = "") -> None:
    step(order, state, who=states.hand_of(by), by=by, now=now, note=note)
    payments.give_up(order_id=order.id, now=now)
    for line in lines_of(order):  # In the order in which stock is locked.
        _put_back(order, line, by=by, now=now)
    if order.points:
        _release(order, now=now)
    events.publish((OrderCancelled if state == "cancelled" else OrderClosed)(order.id, now))


def _put_back(order: Order, line: OrderLine, *, by: Actor, now: datetime) -> None:
    catalog.lock_shelves(variant_ids=[line.variant_id])
    if line.kind == "service":
        slots.release(order_line_id=line.id, places=line.quantity, now=now)
    fulfilling.restock(order=order, line=line, pieces=line.quantity, by=by, now=now)


def _release(order: Order, *, now: datetime) -> None:
    # Where the hold has reached its deadline, the points are back already.
    with suppress(ledger.AlreadyResolved):
        ledger.void_pending(
            key=ledger_key(order, "release"),
            pending_key=ledger_key(order, "hold"),
            now=now,
            why=releasing(number=order.number),
        )
