"""Orders that have arrived, and short ways to send them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.loyalty.ledger.queries import standing
from app.mall.orders.actions import confirm_delivery, pack, place, ship
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted, quote
from app.mall.payments.models import Payment, Refund
from app.mall.returns.actions import ask, settle
from tests.conftest import NOON
from tests.mall.orders.shop import ADDRESS, attempt, fresh_key, report

DAY = timedelta(days=1)
STAFF = Actor("staff", 1, "Mei")


def bought(member, *goods, offset=0, delivery="", quantity=1, before_paying=None):
    """An order that is paid; its id."""
    wanted = [Wanted(each.variant_id, each.price_id, quantity, each.slot_id) for each in goods]
    asked = {"wanted": wanted, "offset_points": offset, "delivery": delivery, "now": NOON}
    with transaction():
        expected = quote(member_id=member, **asked).figures
        order = place(member_id=member, **asked, address=ADDRESS, key=fresh_key(), expected=expected)
        number = order.id
    if before_paying:
        before_paying()
    if order.cash:
        report(number, attempt(number))
    return number


def delivered(member, *goods, **asked):
    """An order that was paid, sent and received at noon; its id."""
    number = bought(member, *goods, **asked)
    receive(number, member)
    return number


def receive(order_id, member):
    with transaction():
        pack(order_id=order_id, by=STAFF, now=NOON)
        ship(order_id=order_id, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
        confirm_delivery(order_id=order_id, by=me(member), now=NOON)


def me(member):
    return Actor("member", member, "Lin")


def wish(order_id, member, *counts, kind="return", reason="unwanted", now=NOON, by=None, codes=()):
    lines = order_by_id(order_id).lines
    pieces = {line.id: count for line, count in zip(lines, counts, strict=False) if count}
    with transaction():
        asked = {"kind": kind, "pieces": pieces, "reason": reason, "codes": codes, "key": fresh_key()}
        return ask(order_id=order_id, **asked, by=by or me(member), now=now).id


def take(case_id, *, now=NOON, back_on_shelf=True):
    with transaction():
        return settle(case_id=case_id, back_on_shelf=back_on_shelf, by=STAFF, now=now)


def refunded(order_id):
    db.session.rollback()
    return refunds_of(order_id)


def refunds_of(order_id):
    mine = sa.select(Refund.amount).join(Payment, Payment.id == Refund.payment_id).where(Payment.order_id == order_id)
    return list(db.session.scalars(mine.order_by(Refund.id)))


def points_of(member):
    db.session.rollback()
    now = standing(member, now=NOON)
    return int(now.available), int(now.on_the_way)


def place_code(member, goods):
    with transaction():
        wanted = [Wanted(goods.variant_id, goods.price_id)]
        return place(
            member_id=member, wanted=wanted, address=None, key=fresh_key(), expected=goods.figures, now=NOON
        ).id


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if statement != "BEGIN":
            seen.append(statement.replace("\n", " "))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
