"""Everybody wants the same time at the same instant. PostgreSQL only: SQLite has one writer at a time anyway."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from app.foundation.database import db, transaction
from app.identity.members.queries import member_by_id
from app.loyalty.ledger.verify import verify
from app.mall.bookings import actions as bookings
from app.mall.bookings.calling_off import call_off_slot
from app.mall.catalog import limits
from app.mall.catalog.errors import OutOfStock
from app.mall.orders import actions as orders
from app.mall.returns import actions as returns
from app.mall.slots import actions, jobs
from app.mall.slots.errors import TimeFull, TimeGone
from app.mall.slots.queries import NotBooked, mismatches
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import fresh_key, orders_in_all, state_of, stock_of, wallet_of
from tests.mall.slots.studio import DAY, MEI, book, booking_of, slots, taken, yoga
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_before, refusals, without_lock

pytestmark = ON_POSTGRESQL
ROUNDS = range(4)


@pytest.fixture(autouse=True)
def books_stay_clean(app, request):
    """However the race went, the stock follows the slots and the books prove themselves."""
    yield
    db.session.rollback()
    assert mismatches() == []
    assert verify().findings == []


def people(count):
    return [make_member(name=f"Member {number}", points=1_000) for number in range(count)]


def booked(answers):
    return [answer for answer in answers if isinstance(answer, int)]


def test_thirty_people_and_eight_places(app):
    goods = yoga(2, places=8)
    answers = at_once(app, [lambda member=member: book(member, goods) for member in people(30)])
    assert len(booked(answers)) == orders_in_all() == 8
    assert all(isinstance(each, OutOfStock | TimeFull) for each in answers if not isinstance(each, int))
    assert (taken(goods), stock_of(goods)) == ([(8, 8, False)], 0)


def test_thirty_people_and_eight_places_where_other_times_have_many(app):
    """The stock of the service would let all of them through: it is the slot that is full."""
    goods = yoga(2, 3, places=8)
    with transaction():
        actions.change_places(slot_id=slots(goods)[1].id, places=100, by=MEI, now=NOON)
    answers = at_once(app, [lambda member=member: book(member, goods) for member in people(30)])
    assert len(booked(answers)) == 8
    assert all(isinstance(each, TimeFull) for each in answers if not isinstance(each, int))
    assert (taken(goods), stock_of(goods)) == ([(8, 8, False), (0, 100, False)], 100)


def test_even_without_locks_the_constraint_gives_the_last_place_once(app, monkeypatch):
    """The locks of stock and slots taken away: the database's own check of ``taken`` still holds."""
    goods = yoga(3, 4, places=1)
    early, late = (slot.id for slot in slots(goods))
    with transaction():
        actions.change_places(slot_id=early, places=2, by=MEI, now=NOON)
    made = [book(member, goods) for member in people(2)]
    for module in (limits, actions):
        monkeypatch.setattr(module, "lock", without_lock)
    meet_before(monkeypatch, actions, "_change_taken", barrier(2))

    def move(order):
        with transaction():
            bookings.move(order_id=order, slot_id=late, now=NOON)

    answers = at_once(app, [lambda order=order: move(order) for order in made], refusal=IntegrityError)
    assert sorted(type(each) for each in answers if each) == [IntegrityError]
    assert taken(goods) == [(1, 2, False), (1, 1, False)]


def test_move_and_cancel_of_the_same_booking(app, monkeypatch):
    goods = yoga(3, 4, places=2)
    later = slots(goods)[1].id
    for _round in ROUNDS:
        [alice] = people(1)
        order = book(alice, goods)
        monkeypatch.undo()
        meet_before(monkeypatch, bookings.orders, "lock_order", barrier(2))

        def move(order=order):
            with transaction():
                bookings.move(order_id=order, slot_id=later, now=NOON)

        def cancel(order=order, alice=alice):
            with transaction():
                by = orders_by(alice)
                returns.cancel(order_id=order, reason="unwanted", key=fresh_key(), by=by, now=NOON)

        moved, cancelled = at_once(app, [move, cancel])
        assert cancelled is None, cancelled
        assert moved is None or isinstance(moved, NotBooked)
        assert booking_of(order).state == "cancelled"
        assert state_of(order) == "cancelled"
        assert wallet_of(alice) == (1_000, 0)
        assert (taken(goods), stock_of(goods)) == ([(0, 2, False), (0, 2, False)], 4)


def orders_by(member_id):
    return member_by_id(member_id).actor


def test_two_who_move_to_the_last_place(app):
    goods = yoga(3, 4, places=2)
    early, late = (slot.id for slot in slots(goods))
    with transaction():
        actions.change_places(slot_id=late, places=1, by=MEI, now=NOON)
    made = [book(member, goods) for member in people(2)]

    def move(order):
        with transaction():
            bookings.move(order_id=order, slot_id=late, now=NOON)

    answers = at_once(app, [lambda order=order: move(order) for order in made])
    assert sorted(type(each) for each in answers if each) == [TimeFull]
    assert sorted(booking_of(order).slot_id for order in made) == [early, late]
    assert (taken(goods), stock_of(goods)) == ([(1, 2, False), (1, 1, False)], 1)


def test_two_who_swap_their_times_do_not_wait_for_each_other_in_a_circle(app):
    goods = yoga(3, 4, places=2)
    early, late = (slot.id for slot in slots(goods))
    for _round in ROUNDS:
        first, second = people(2)
        one, other = book(first, goods), book(second, goods, slot_id=late)

        def move(order, slot_id):
            with transaction():
                bookings.move(order_id=order, slot_id=slot_id, now=NOON)

        answers = at_once(app, [lambda one=one: move(one, late), lambda other=other: move(other, early)])
        assert answers == [None, None]
        for order, member in ((one, first), (other, second)):
            with transaction():
                returns.cancel(order_id=order, reason="unwanted", key=fresh_key(), by=orders_by(member), now=NOON)
    assert (taken(goods), stock_of(goods)) == ([(0, 2, False), (0, 2, False)], 4)


def test_a_time_is_closed_while_somebody_books_it(app):
    for _round in ROUNDS:
        goods = yoga(2, places=3)
        [alice] = people(1)

        def close(goods=goods):
            with transaction():
                actions.close(slot_id=goods.slot_id, by=MEI, now=NOON)

        answer, _closed = at_once(app, [lambda alice=alice, goods=goods: book(alice, goods), close])
        came = isinstance(answer, int)
        assert came or isinstance(answer, OutOfStock | TimeGone)
        assert (taken(goods), stock_of(goods)) == ([(int(came), 3, True)], 0)


def test_a_time_is_called_off_while_somebody_books_and_somebody_cancels(app):
    for _round in ROUNDS:
        goods = yoga(3, places=3)
        alice, bob = people(2)
        there = book(bob, goods)

        def cancel(there=there, bob=bob):
            with transaction():
                returns.cancel(order_id=there, reason="unwanted", key=fresh_key(), by=orders_by(bob), now=NOON)

        tasks = [
            lambda goods=goods, alice=alice: book(alice, goods),
            cancel,
            lambda goods=goods: call_off_slot(slot_id=goods.slot_id, reason="The teacher is ill", by=MEI, now=NOON),
        ]
        answer, _cancelled, called_off = at_once(app, tasks)
        assert called_off.failed == []
        assert taken(goods) == [(0, 3, True)]
        assert state_of(there) == "cancelled"
        if isinstance(answer, int):
            assert state_of(answer) == "cancelled"
        assert [wallet_of(member) for member in (alice, bob)] == [(1_000, 0)] * 2


def test_the_minute_job_beside_a_booking_and_a_release(app):
    """The booking looks at the clock a second before the time begins, the job just then."""
    begins = NOON + 2 * DAY
    for _round in ROUNDS:
        goods = yoga(2, places=3, cash=100)
        alice, bob = people(2)
        unpaid = book(bob, goods, now=begins - timedelta(hours=2))

        def release(unpaid=unpaid):
            with transaction():
                return orders.close_unpaid(order_id=unpaid, now=begins)

        tasks = [
            lambda alice=alice, goods=goods: book(alice, goods, now=begins - timedelta(seconds=1)),
            release,
            lambda: jobs.close_begun(now=begins),
        ]
        answer, released, _closed = at_once(app, tasks)
        assert released is True
        assert (taken(goods), stock_of(goods)) == ([(int(isinstance(answer, int)), 3, True)], 0)


def test_has_come_and_did_not_come_at_once(app):
    goods = yoga(2, places=3)
    [alice] = people(1)
    order, now = book(alice, goods), NOON + 2 * DAY

    def say(verb):
        with transaction():
            verb(order_id=order, by=MEI, now=now)

    answers = at_once(app, [lambda: say(bookings.attend), lambda: say(bookings.miss)])
    assert refusals(answers) == 1
    assert state_of(order) == "delivered"
    assert booking_of(order).state in ("attended", "missed")
    jobs.close_begun(now=now)
