"""How an order reaches its buyer, step by step, and what is given up before it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation import events
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import db
from app.mall.catalog import actions as catalog
from app.mall.codes import actions as codes
from app.mall.orders import reaching, states
from app.mall.orders.errors import NotToBeGivenUp
from app.mall.orders.events import OrderCancelled, OrderCompleted, OrderDelivered, OrderShipped
from app.mall.orders.models import Order, OrderLine
from app.mall.orders.steps import lines_of, locked, note_by_staff, step, step_back
from app.mall.slots import actions as slots
from app.mall.slots.queries import waits_for_its_time

# --- what is packed or handed over ----------------------------------------------------------------


def pack(*, order_id: int, by: Actor, now: datetime) -> None:
    """A merchant has put it together. Raises ``StepRefused``."""
    order = locked(order_id)
    step(order, "packed", who="merchant", by=by, now=now)
    note_by_staff(order, "packed", before="paid", by=by, now=now)


def serve(*, order_id: int, by: Actor, now: datetime) -> None:
    """A merchant has handed out what needs no parcel. Raises ``StepRefused``, also before a booked time has come."""
    order = locked(order_id)
    before = order.state
    _check_serving(order, now=now)
    _hand_over(order, now=now)
    advance(order=order, by=by, now=now)
    note_by_staff(order, "delivered", before=before, by=by, now=now)


def can_be_served(order: Order, *, now: datetime) -> bool:
    """Is there anything of it that a merchant could hand out now?"""
    try:
        _check_serving(order, now=now)
    except states.StepRefused:
        return False
    return True


def _check_serving(order: Order, *, now: datetime) -> None:
    states.check(order.state, "delivered", who="merchant", parcel=order.parcel)
    lines = lines_of(order)
    _refuse_what_is_ahead(lines, now=now)
    if not any(line.open and line.kind in reaching.BY_HAND for line in lines):
        raise states.StepRefused(_("Nothing of this order is handed out by hand. Nothing was changed."))


def confirm_delivery(*, order_id: int, by: Actor, now: datetime) -> None:
    """The member has it, or (``by`` the system) long enough has passed. Raises ``StepRefused``."""
    order = locked(order_id)
    who = states.hand_of(by)
    states.check(order.state, "delivered", who=who, parcel=order.parcel)
    lines = lines_of(order)
    _refuse_what_is_ahead(lines, now=now)
    if not order.parcel and any(line.open and line.kind not in reaching.BY_HAND for line in lines):
        raise states.StepRefused(_("A part of this order is still awaited. Nothing was changed."))
    _hand_over(order, now=now)
    if order.state != "shipped":
        advance(order=order, by=by, now=now)
    else:
        _deliver(order, who=who, by=by, now=now)


def _refuse_what_is_ahead(lines: Sequence[OrderLine], *, now: datetime) -> None:
    services = [line.id for line in lines if line.kind == "service"]
    if services and waits_for_its_time(services, now=now):
        raise states.StepRefused(_("The booked time is still to come. Nothing was changed."))


def _hand_over(order: Order, *, now: datetime) -> None:
    open_ = {line.id: line.open for line in lines_of(order) if line.open and line.kind in reaching.BY_HAND}
    slots.attend(order_line_ids=open_, now=now)
    note_fulfilled(order=order, pieces=open_)


def complete(*, order_id: int, now: datetime) -> None:
    """The return window has ended. Raises ``StepRefused``, also while a return is open or something is awaited."""
    order = locked(order_id)
    if order.return_open:
        raise states.StepRefused(_("A return of this order is under way. Nothing was changed."))
    if any(line.open for line in lines_of(order)):
        raise states.StepRefused(_("A part of this order is still awaited. Nothing was changed."))
    step(order, "completed", who="system", by=SYSTEM, now=now)
    events.publish(OrderCompleted(order.id, now))


# --- what reaches its buyer by itself -------------------------------------------------------------


def hand_out_codes(*, order: Order, now: datetime) -> None:
    """Codes out of their pools for whatever of a paid order waits for them. The caller has locked the order."""
    for line in lines_of(order):
        if line.kind == "code" and line.open and (handed := reaching.hand_out_codes(order, line, now=now)):
            note_fulfilled(order=order, pieces={line.id: handed})


def grant(*, order: Order, now: datetime) -> None:
    """What its products grant. The caller has locked the order."""
    for line in lines_of(order):
        if line.grants and line.open and (granted := reaching.grant(order, line, now=now)):
            note_fulfilled(order=order, pieces={line.id: granted})


def serve_waiting(*, order_id: int, now: datetime) -> bool:
    """Codes or grants for an order that could not have them when it was paid. Is nothing of them awaited any more?"""
    order = locked(order_id)
    if order.state in ("placed", *states.ENDED):
        return True
    hand_out_codes(order=order, now=now)
    grant(order=order, now=now)
    advance(order=order, by=SYSTEM, now=now)
    return not any(line.open and line.kind not in reaching.BY_HAND for line in lines_of(order))


# --- what is given up -------------------------------------------------------------------------------


def give_up(*, order: Order, pieces: Mapping[int, int], by: Actor, now: datetime) -> None:
    """So many pieces, by line, that were not sent, looked at, attended or used will never be: they are for sale again.

    The caller has locked the order, and gives back what was paid for them. Raises ``NotToBeGivenUp``.
    """
    lines = {line.id: line for line in lines_of(order)}
    if any(line_id not in lines or not 1 <= count <= lines[line_id].quantity for line_id, count in pieces.items()):
        raise NotToBeGivenUp
    catalog.lock_shelves(variant_ids={lines[line_id].variant_id for line_id in pieces})
    for line in lines.values():
        count = pieces.get(line.id, 0)
        if not count:
            continue
        if count > line.quantity - line.returned:
            raise NotToBeGivenUp
        reached = reaching.take_back(order, line, count, now=now)
        _note(
            line.id,
            fulfilled=OrderLine.fulfilled - reached,
            cancelled=OrderLine.cancelled + count,
            returned=OrderLine.returned + count,
        )
        restock(order=order, line=line, pieces=count, by=by, now=now)
    advance(order=order, by=by, now=now)


def restock(*, order: Order, line: OrderLine, pieces: int, by: Actor, now: datetime) -> None:
    """So many pieces of a line are for sale again. The caller has locked the variant.

    That they went back is written down even where nobody can have them any more, because the code was withdrawn or
    the time closed: the member's purchase limit counts them no longer.
    """
    catalog.change_stock(
        variant_id=line.variant_id, change=pieces, reason="release", reference=order.number, by=by, now=now
    )
    if line.kind == "code":
        codes.level_stock(variant_id=line.variant_id, by=SYSTEM, now=now)
    if line.kind == "service":
        slots.level_stock(variant_id=line.variant_id, by=SYSTEM, now=now)


# --- where the order stands -----------------------------------------------------------------------


def note_fulfilled(*, order: Order, pieces: Mapping[int, int]) -> None:
    """So many pieces, by line, have reached their buyer or are on their way. The caller has locked the order."""
    for line_id, count in pieces.items():
        _note(line_id, fulfilled=OrderLine.fulfilled + count)


def _note(line_id: int, **values: object) -> None:
    """As steps from where the database is: its constraints are the last line."""
    mine = sa.update(OrderLine).where(OrderLine.id == line_id)
    db.session.execute(mine.values(**values).execution_options(synchronize_session=False))


def advance(*, order: Order, by: Actor, now: datetime) -> None:
    """Where nothing of a paid order is awaited any more, it goes on by itself. The caller has locked the order."""
    if order.state not in states.OPEN:
        return
    lines, who = lines_of(order), states.hand_of(by)
    if order.parcel:
        sent = [line for line in lines if line.kind == "physical"]
        if any(line.open for line in sent):
            return
        if any(line.fulfilled for line in sent):
            step(order, "shipped", who=who, by=by, now=now)  # What was still to be sent was given up.
            events.publish(OrderShipped(order.id, now))
            return
        order.parcel = False
        if order.state == "packed":
            step_back(order, "paid", who=who)
    if any(line.open for line in lines):
        return
    if any(line.fulfilled for line in lines):
        _deliver(order, who=who, by=by, now=now)
    else:
        step(order, "cancelled", who=who, by=by, now=now)
        events.publish(OrderCancelled(order.id, now))


def _deliver(order: Order, *, who: states.Who, by: Actor, now: datetime) -> None:
    step(order, "delivered", who=who, by=by, now=now)
    events.publish(OrderDelivered(order.id, now))
