"""Reads of orders. A member's orders always start from the member; staff's from their units."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from app.foundation.database import any_of, db, fetch
from app.foundation.listing import Part, part_of
from app.foundation.terms import current
from app.loyalty.benefits.queries import Received, extra_return_days
from app.mall.orders.awaited import any_open, awaits, number_of_line, pieces_asked, waiting, waiting_for
from app.mall.orders.models import Order, OrderLine, OrderStep, Shipment
from app.mall.orders.quotes import Considered, Quote, QuoteLine, Wanted, consider, quote, quote_of
from app.mall.orders.reaching import BY_HAND
from app.mall.orders.rules import is_key, order_number
from app.mall.orders.terms import OrderTerms
from app.mall.orders.worklist import Asked, orders_asked_for, within

__all__ = [
    "Arrival",
    "Considered",
    "OpenOrder",
    "Quote",
    "QuoteLine",
    "Wanted",
    "any_open",
    "arrivals",
    "consider",
    "ids_of_numbers",
    "number_of_line",
    "office_order",
    "office_orders",
    "open_of",
    "order_by_id",
    "order_of_key",
    "orders_by_ids",
    "orders_of",
    "own_order",
    "paid_numbers",
    "pieces_asked",
    "quote",
    "quote_of",
    "resting_since",
    "returnable",
    "unpaid_since",
    "waiting",
    "waiting_for",
]

CHUNK = 5_000  # Both databases limit how many values one statement may carry.
SELECTIONS: dict[str, tuple[str, ...]] = {
    "to-pay": ("placed",),
    "on-the-way": ("paid", "packed", "part_shipped", "shipped"),
    "received": ("delivered", "completed"),
    "ended": ("cancelled", "closed"),
}
_WHOLE = (selectinload(Order.lines), selectinload(Order.steps))
_SHOWN = (*_WHOLE, selectinload(Order.shipments).joinedload(Shipment.pieces))


def order_by_id(order_id: int) -> Order:
    """An order, its lines and steps as soon as they are asked for. Raises ``NoResultFound``."""
    return db.session.get_one(Order, order_id)


def orders_by_ids(ids: Collection[int]) -> dict[int, Order]:
    """These orders, by id, with their lines."""
    which = sa.select(Order).where(Order.id.in_(ids)).options(joinedload(Order.lines))
    return {order.id: order for order in db.session.scalars(which).unique()}


def ids_of_numbers(numbers: Collection[str]) -> dict[str, int]:
    """Number → id, for those that there are."""
    return dict(db.session.execute(sa.select(Order.number, Order.id).where(any_of(Order.number, numbers))).all())


def paid_numbers(numbers: Collection[str]) -> set[str]:
    """Which of these orders are paid, and wait for what they are of."""
    paid = sa.select(Order.number).where(any_of(Order.number, numbers), Order.state == "paid")
    return set(db.session.scalars(paid))


def service_lines(order_ids: Collection[int]) -> dict[int, int]:
    """The lines of these orders that are services: the line's id → the order's."""
    mine = sa.select(OrderLine.id, OrderLine.order_id)
    query = mine.where(any_of(OrderLine.order_id, order_ids), OrderLine.kind == "service")
    return dict(db.session.execute(query).all())


_OF_KEY = sa.select(Order.id).where(Order.member_id == sa.bindparam("member"), Order.key == sa.bindparam("key"))


def order_of_key(member_id: int, key: str) -> Order | None:
    """The order that this form has already made."""
    found = fetch(_OF_KEY, {"member": member_id, "key": key})
    return order_by_id(found[0][0]) if found else None


def own_order(member_id: int, number: str) -> Order | None:
    """One order of this member; somebody else's looks like none."""
    return db.session.scalar(
        sa.select(Order).where(Order.member_id == member_id, Order.number == number).options(*_SHOWN)
    )


def orders_of(member_id: int, *, selection: str = "", after: str | None = None, limit: int = 20) -> Part[Order]:
    """A member's orders, newest first; ``selection`` is one of ``SELECTIONS`` or empty for all."""
    query = sa.select(Order).where(Order.member_id == member_id)
    if selection in SELECTIONS:
        query = query.where(Order.state.in_(SELECTIONS[selection]))
    return part_of(query.options(*_WHOLE), keys=[Order.id], after=after, limit=limit)


def office_order(number: str, *, units: Collection[int] | None) -> Order | None:
    """One order among those of ``units`` (``None``: all)."""
    return db.session.scalar(sa.select(Order).where(Order.number == number, *within(units)).options(*_SHOWN))


def office_orders(
    *, units: Collection[int] | None, state: str = "", after: str | None = None, limit: int = 50
) -> Part[Order]:
    """Those of ``units`` in this state; see ``worklist``."""
    return orders_asked_for(Asked(units=units, state=state), after=after, limit=limit)


def unpaid_since(moment: datetime, *, limit: int) -> Sequence[int]:
    """Orders that should have been paid by ``moment``."""
    query = sa.select(Order.id).where(Order.state == "placed", Order.pay_by <= moment)
    return db.session.scalars(query.order_by(Order.pay_by).limit(limit)).all()


def resting_since(state: str, moment: datetime, *, parcel: bool | None = None, after: int, limit: int) -> Sequence[int]:
    """Orders that reached ``state`` by ``moment`` and are still there, by id.

    Without those that are held up by a return or, unless a parcel is on its way, by a code or a grant that is awaited.
    """
    query = (
        sa.select(Order.id)
        .join(OrderStep, (OrderStep.order_id == Order.id) & (OrderStep.state == state))
        .where(Order.state == state, OrderStep.at <= moment, Order.id > after, Order.return_open.is_(False))
    )
    if parcel is not None:
        query = query.where(Order.parcel.is_(parcel))
    if state != "shipped":  # What is on its way arrives, whatever else may follow.
        query = query.where(~awaits(OrderLine.kind.not_in(BY_HAND)))
    return db.session.scalars(query.order_by(Order.id).limit(limit)).all()


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an order was received, and by whom of which unit."""

    order_id: int
    member_id: int
    unit_id: int
    at: datetime


def arrivals(order_ids: Collection[int]) -> list[Arrival]:
    """When these orders were received, by one query."""
    query = (
        sa.select(Order.id, Order.member_id, Order.unit_id, OrderStep.at)
        .join(OrderStep, (OrderStep.order_id == Order.id) & (OrderStep.state == "delivered"))
        .where(Order.id.in_(order_ids))
    )
    return [Arrival(*row) for row in db.session.execute(query.order_by(Order.id))]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that is still under way, as far as a list needs it. ``coming``: is a code or a grant awaited?"""

    number: str
    state: str
    parcel: bool
    name: dict[str, str]
    picture: str | None
    coming: bool


def open_of(member_id: int, *, limit: int) -> list[OpenOrder]:
    """What a member still waits for or has to pay, newest first, by one query."""
    return [OpenOrder(*row) for row in fetch(_OPEN, {"member": member_id, "limit": limit})]


_first = aliased(OrderLine)
_FIRST_LINE = sa.select(sa.func.min(_first.id)).where(_first.order_id == Order.id).correlate(Order).scalar_subquery()
_other = aliased(OrderLine)
_COMING = sa.exists().where(
    _other.order_id == Order.id,
    _other.quantity > _other.fulfilled + _other.cancelled,
    *(_other.kind != kind for kind in BY_HAND),
)
_OPEN = (
    sa.select(Order.number, Order.state, Order.parcel, OrderLine.name, OrderLine.picture, _COMING)
    .join(OrderLine, OrderLine.id == _FIRST_LINE)
    .where(
        Order.member_id == sa.bindparam("member"),
        sa.or_(*(Order.state == state for state in (*SELECTIONS["to-pay"], *SELECTIONS["on-the-way"]))),
    )
    .order_by(Order.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def returnable(numbers: Collection[str]) -> dict[tuple[int, str], bool]:
    """(Unit, number) of the orders among these numbers → can something of it still be sent back?"""
    found: dict[tuple[int, str], bool] = {}
    rest = iter(numbers)
    while chunk := list(islice(rest, CHUNK)):
        query = sa.select(Order.unit_id, Order.number, Order.state).where(Order.number.in_(chunk))
        found |= {(unit, number): state != "completed" for unit, number, state in db.session.execute(query)}
    return found


def return_days(order: Order, received_at: datetime) -> int:
    """How many days its member has to send it back, with the benefits they had when it was received."""
    [more] = extra_return_days([Received(order.member_id, order.unit_id, received_at)])
    return current(OrderTerms).return_window_days + more


def new_number(day: date) -> str:
    """A number like those of orders, that nobody guesses."""
    return order_number(day)


def is_form_key(text: str) -> bool:
    """Is it a key as our forms make them?"""
    return is_key(text)
