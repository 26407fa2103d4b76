"""How an order takes a step: its row is locked, the table is asked, and the step is written down."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, lock
from app.mall.orders import states
from app.mall.orders.models import Order, OrderLine, OrderStep

LONGEST_NOTE = OrderStep.note.type.length


def locked(order_id: int) -> Order:
    """Whatever moves of an order, its row is locked first."""
    return db.session.scalars(lock(LockOrder.ORDER, sa.select(Order).where(Order.id == order_id))).one()


def lines_of(order: Order) -> list[OrderLine]:
    """Its lines as they are now, by the variant: the order in which stock is locked."""
    mine = sa.select(OrderLine).where(OrderLine.order_id == order.id).order_by(OrderLine.variant_id, OrderLine.id)
    return list(db.session.scalars(mine.execution_options(populate_existing=True)))


def step(order: Order, state: str, *, who: states.Who, by: Actor, now: datetime, note: str = "") -> None:
    """The member reads the note. Raises ``StepRefused`` for what is not in the table."""
    states.check(order.state, state, who=who, parcel=order.parcel)
    order.state = state
    write_step(order, state, by=by, now=now, note=note)


def step_back(order: Order, state: str, *, who: states.Who) -> None:
    """To where it was before: the step that is written down already stays. Raises ``StepRefused``."""
    states.check(order.state, state, who=who, parcel=order.parcel)
    order.state = state
    db.session.flush()


def write_step(order: Order, state: str, *, by: Actor, now: datetime, note: str = "") -> None:
    db.session.add(OrderStep(order_id=order.id, state=state, at=now, by=by.label, note=note[:LONGEST_NOTE]))
    db.session.flush()


def note_by_staff(order: Order, happened: str, *, before: str, by: Actor, now: datetime, **facts: object) -> None:
    """Into the audit log: what a colleague did to an order, and where it stands now."""
    audit.record(
        f"order.{happened}",
        subject=("order", order.number, order.number),
        by=by,
        now=now,
        before={"state": before},
        after={"state": order.state, **facts},
    )


def ledger_key(order: Order, what: str) -> str:
    return f"order:{order.number}:{what}"


def line_key(order: Order, line: OrderLine) -> str:
    """The business key of what a line grants."""
    return f"order:{order.number}:line:{line.id}"
