"""Members who click at the same instant. PostgreSQL only: SQLite has one writer at a time anyway.

Each story comes twice. First the race itself, with the protection in question taken away (the
doc string says which), to prove that the test would notice; then the house as it is.
"""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.foundation.database import db, transaction
from app.foundation.outbox import OutboxMessage
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.actions import InsufficientPoints
from app.loyalty.ledger.verify import verify
from app.mall.catalog import actions as catalog
from app.mall.catalog import limits
from app.mall.catalog import stock as shelf
from app.mall.catalog.errors import OutOfStock
from app.mall.catalog.models import StockMovement, Variant
from app.mall.orders import actions, paying, placing, queries, steps
from app.mall.orders.models import Order
from app.mall.payments.models import Refund
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import (
    attempt,
    fresh_key,
    make_goods,
    order_some,
    orders_in_all,
    payments_of,
    report,
    steps_of,
    stock_of,
    wallet_of,
)
from tests.racing import ON_POSTGRESQL, at_once, barrier, lifted, meet_after, meet_before, unlock_wallets, without_lock

pytestmark = ON_POSTGRESQL
ROUNDS = range(6)


@pytest.fixture(autouse=True)
def books_stay_clean(app, request):
    """However the race went, the books must prove themselves; unless their own protection was taken away."""
    yield
    if "tampering" not in request.keywords:
        fresh()
        assert verify().findings == []


def winners(answers):
    return [answer for answer in answers if isinstance(answer, int)]


def losers(answers):
    return [answer for answer in answers if not isinstance(answer, int)]


def fresh():
    db.session.rollback()


# --- the last piece --------------------------------------------------------------------------


def naive_change_stock(meeting):
    """Read, think, write the result: what a shop does that never met two customers."""

    def change(*, changes, reason, reference, by, now):
        [(variant_id, change)] = changes.items()
        stock = db.session.scalars(sa.select(Variant.stock).where(Variant.id == variant_id)).one()
        meeting.wait()
        if stock + change < 0:
            raise OutOfStock("tea", stock)
        db.session.execute(sa.update(Variant).where(Variant.id == variant_id).values(stock=stock + change))

    return change


def test_without_lock_and_guard_the_last_piece_is_sold_twice(app, monkeypatch):
    """``change_stocks`` replaced by one that reads, then writes an absolute value, without lock and without guard."""
    tea = make_goods(points=100, stock=1)
    alice, bob = (make_member(name=name, points=1_000) for name in ("Alice", "Bob"))
    monkeypatch.setattr(limits, "lock", without_lock)
    monkeypatch.setattr(limits, "change_stocks", naive_change_stock(barrier(2)))
    answers = at_once(app, [lambda: order_some(alice, tea), lambda: order_some(bob, tea)])
    fresh()
    assert len(winners(answers)) == 2
    assert stock_of(tea) == 0
    assert orders_in_all() == 2


def test_the_last_piece_is_sold_once(app, monkeypatch):
    tea = make_goods(points=100, stock=1)
    alice, bob = (make_member(name=name, points=1_000) for name in ("Alice", "Bob"))
    meet_before(monkeypatch, catalog, "take_pieces", barrier(2))
    answers = at_once(app, [lambda: order_some(alice, tea), lambda: order_some(bob, tea)])
    fresh()
    assert len(winners(answers)) == 1
    (refusal,) = losers(answers)
    assert isinstance(refusal, OutOfStock)
    assert stock_of(tea) == 0
    assert orders_in_all() == 1
    assert sorted([wallet_of(alice), wallet_of(bob)]) == [(900, 0), (1_000, 0)]
    assert db.session.scalars(sa.select(StockMovement.change).where(StockMovement.reason == "order")).all() == [-1]


def test_even_without_the_lock_the_guarded_update_sells_once(app, monkeypatch):
    """The lock alone taken away: the second line, ``WHERE stock + change >= 0``, still holds."""
    tea = make_goods(points=100, stock=1)
    alice, bob = (make_member(name=name, points=1_000) for name in ("Alice", "Bob"))
    monkeypatch.setattr(shelf, "lock", without_lock)
    monkeypatch.setattr(limits, "lock", without_lock)
    meet_before(monkeypatch, limits, "change_stocks", barrier(2))
    answers = at_once(app, [lambda: order_some(alice, tea), lambda: order_some(bob, tea)])
    fresh()
    assert len(winners(answers)) == 1
    assert stock_of(tea) == 0


def test_ten_members_and_three_pieces(app, monkeypatch):
    tea = make_goods(points=100, stock=3)
    members = [make_member(name=f"Member {number}", points=100) for number in range(10)]
    meet_before(monkeypatch, catalog, "take_pieces", barrier(10))
    answers = at_once(app, [lambda member=member: order_some(member, tea) for member in members])
    fresh()
    assert len(winners(answers)) == 3
    assert all(isinstance(answer, OutOfStock) for answer in losers(answers))
    assert stock_of(tea) == 0
    assert sum(wallet_of(member)[0] for member in members) == 700


# --- the last points -------------------------------------------------------------------------


def two_ways_to_spend():
    """Two different products, so that no stock makes one order wait for the other; cash, so that points are held."""
    return make_goods("Kettle", points=100, cash=100), make_goods("Lamp", points=100, cash=100)


@pytest.mark.tampering
def test_without_the_lock_the_last_points_are_promised_twice(app, monkeypatch):
    """The wallet's lock taken away, and the three constraints that would also have noticed."""
    alice, (kettle, lamp) = make_member(points=100), two_ways_to_spend()
    unlock_wallets(monkeypatch)
    meet_after(monkeypatch, ledger, "lock_with_lots", barrier(2))
    with lifted("ck_wallet_held_covered", "ck_lot_held_in_range", "uq_transfer_wallet_id_sequence"):
        answers = at_once(app, [lambda: order_some(alice, kettle), lambda: order_some(alice, lamp)])
        fresh()
        assert len(winners(answers)) == 2
        assert wallet_of(alice) == (100, 200)


def test_without_the_lock_the_constraints_still_refuse_the_second(app, monkeypatch):
    """The lock alone taken away: the database itself is the last line."""
    alice, (kettle, lamp) = make_member(points=100), two_ways_to_spend()
    unlock_wallets(monkeypatch)
    meet_after(monkeypatch, ledger, "lock_with_lots", barrier(2))
    answers = at_once(app, [lambda: order_some(alice, kettle), lambda: order_some(alice, lamp)], refusal=IntegrityError)
    fresh()
    assert len(winners(answers)) == 1
    assert wallet_of(alice) == (100, 100)


@pytest.mark.parametrize("cash", [0, 100])
def test_the_last_points_are_spent_once(app, monkeypatch, cash):
    alice = make_member(points=100)
    tea, lamp = make_goods(points=100, cash=cash), make_goods("Lamp", points=100, cash=cash)
    meet_before(monkeypatch, ledger, "hold", barrier(2))
    answers = at_once(app, [lambda: order_some(alice, tea), lambda: order_some(alice, lamp)])
    fresh()
    assert len(winners(answers)) == 1
    (refusal,) = losers(answers)
    assert isinstance(refusal, InsufficientPoints)
    assert wallet_of(alice) == ((100, 100) if cash else (0, 0))
    assert orders_in_all() == 1
    assert stock_of(tea) + stock_of(lamp) == 19


# --- one form, five clicks -------------------------------------------------------------------


@pytest.mark.tampering
def test_without_the_unique_key_five_clicks_are_five_orders(app, monkeypatch):
    """The unique key dropped and a plain insert in its place; every click looks before any of them writes."""
    alice, tea, key = make_member(points=1_000), make_goods(points=100), fresh_key()
    monkeypatch.setattr(placing, "insert_new", plain_insert)
    meet_after(monkeypatch, queries, "order_of_key", barrier(5))
    with lifted("uq_order_member_id_key"):
        answers = at_once(app, [lambda: order_some(alice, tea, key=key)] * 5)
        fresh()
        assert len(set(winners(answers))) == 5
        assert wallet_of(alice) == (500, 0)


def plain_insert(table, rows, *, unless, returning):
    return db.session.execute(sa.insert(table).returning(*returning), rows).all()


def test_one_form_sent_five_times_is_one_order(app, monkeypatch):
    alice, tea, key = make_member(points=1_000), make_goods(points=100), fresh_key()
    meet_after(monkeypatch, queries, "order_of_key", barrier(5))
    answers = at_once(app, [lambda: order_some(alice, tea, key=key)] * 5)
    fresh()
    assert losers(answers) == []
    assert len(set(winners(answers))) == 1
    assert orders_in_all() == 1
    assert wallet_of(alice) == (900, 0)
    assert stock_of(tea) == 9


# --- paying while the order is being closed --------------------------------------------------


def unpaid_order():
    alice, kettle = make_member(points=1_000), make_goods("Kettle", points=300, cash=5_000)
    order = order_some(alice, kettle)
    return alice, kettle, order, attempt(order), db.session.get_one(Order, order).pay_by


def close(order, moment):
    with transaction():
        return actions.close_unpaid(order_id=order, now=moment)


def refunds_queued():
    """The payments of which money is on its way back."""
    asked = db.session.scalars(sa.select(OutboxMessage.payload).where(OutboxMessage.channel == "refund")).all()
    return [db.session.get_one(Refund, each["refund_id"]).payment_id for each in asked]


def test_without_the_lock_an_order_is_paid_and_closed(app, monkeypatch):
    """The order's lock taken away. Both look while it is unpaid; the closing job is the slower one."""
    alice, kettle, order, payment, moment = unpaid_order()
    paid, looked = threading.Event(), barrier(2)
    locked = steps.locked

    def look(order_id):
        found = locked(order_id)
        looked.wait()
        if threading.current_thread() is not payer[0]:
            assert paid.wait(30)
        return found

    payer = []

    def pay():
        payer.append(threading.current_thread())
        report(order, payment, now=moment)
        paid.set()
        return 1

    monkeypatch.setattr(steps, "lock", without_lock)
    monkeypatch.setattr(paying, "locked", look)
    answers = at_once(app, [pay, lambda: int(close(order, moment))])
    fresh()
    assert answers == [1, 1]
    assert set(steps_of(order)) == {"placed", "paid", "closed"}
    assert wallet_of(alice) == (700, 0)
    assert stock_of(kettle) == 10  # The member paid, and the shop put the goods back on the shelf.


@pytest.mark.parametrize("_round", ROUNDS)
def test_paid_and_closed_at_the_same_instant_is_one_of_the_two(app, monkeypatch, _round):
    alice, kettle, order, payment, moment = unpaid_order()
    meet_before(monkeypatch, paying, "locked", barrier(2))
    acts = [lambda: report(order, payment, now=moment), lambda: close(order, moment)]
    answers = at_once(app, acts if _round % 2 else acts[::-1])
    fresh()
    assert not any(isinstance(answer, Exception) for answer in answers)
    assert payments_of(order) == [("paid", 0)]
    if "paid" in steps_of(order):
        assert steps_of(order) == ["placed", "paid"]
        assert (wallet_of(alice), stock_of(kettle)) == ((700, 0), 9)
        assert refunds_queued() == []
    else:
        assert steps_of(order) == ["placed", "closed"]
        assert (wallet_of(alice), stock_of(kettle)) == ((1_000, 0), 10)
        assert refunds_queued() == [payment]


@pytest.mark.parametrize("_round", ROUNDS)
def test_cancelled_and_paid_at_the_same_instant_is_one_of_the_two(app, monkeypatch, _round):
    alice, kettle, order, payment, _moment = unpaid_order()
    by = placing._actor(alice)
    meet_before(monkeypatch, paying, "locked", barrier(2))

    def cancel():
        with transaction():
            actions.cancel(order_id=order, by=by, now=NOON)

    at_once(app, [lambda: report(order, payment), cancel])
    fresh()
    assert steps_of(order) in (["placed", "paid"], ["placed", "cancelled"])
    assert wallet_of(alice) == ((700, 0) if "paid" in steps_of(order) else (1_000, 0))
    assert stock_of(kettle) == (9 if "paid" in steps_of(order) else 10)
    assert len(refunds_queued()) == (0 if "paid" in steps_of(order) else 1)


def test_the_same_outcome_five_times_at_once_pays_once(app, monkeypatch):
    alice, _kettle, order, payment, _moment = unpaid_order()
    meet_before(monkeypatch, paying, "locked", barrier(5))
    answers = at_once(app, [lambda: report(order, payment)] * 5)
    fresh()
    assert answers == [None] * 5
    assert steps_of(order) == ["placed", "paid"]
    assert wallet_of(alice) == (700, 0)
    assert refunds_queued() == []
