"""Bookings after ordering: moved, called off, attended, missed, and written into a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.terms import change, current
from app.mall.bookings import actions, jobs
from app.mall.bookings.calendars import calendar_file
from app.mall.bookings.calling_off import call_off_slot
from app.mall.bookings.errors import NotYet, TooLateToMove
from app.mall.catalog.errors import LimitReached
from app.mall.catalog.models import Product
from app.mall.orders import jobs as order_jobs
from app.mall.orders.models import OrderStep
from app.mall.returns.models import ReturnCase
from app.mall.slots import actions as slot_actions
from app.mall.slots import jobs as slot_jobs
from app.mall.slots.errors import TimeFull, TimeGone
from app.mall.slots.queries import NotBooked
from app.mall.slots.terms import SlotTerms
from tests.conftest import NOON
from tests.mall.orders.shop import attempt, report, state_of, steps_of, stock_of, wallet_of
from tests.mall.slots.studio import DAY, HOUR, MEI, add, book, booking_of, slots, taken, yoga

MERCHANT = Actor("staff", 1, "Mei the merchant")


def act(action, order_id, *, now=NOON, **values):
    with transaction():
        action(order_id=order_id, now=now, **values)


# --- moving ----------------------------------------------------------------------------------------


def test_a_booking_moves_to_another_time_and_nothing_is_paid(alice):
    goods = yoga(3, 4, places=2)
    order, later = book(alice, goods, places=2), slots(goods)[1].id
    act(actions.move, order, slot_id=later)
    assert booking_of(order).slot_id == later
    assert (taken(goods), stock_of(goods)) == ([(0, 2, False), (2, 2, False)], 2)
    assert wallet_of(alice) == (800, 0)
    assert state_of(order) == "paid"


def test_moving_has_its_deadline_and_its_refusals(alice, mallory):
    goods, other = yoga(3, 4, 5, places=2), yoga(3)
    order = book(alice, goods, places=2)
    first, second, third = (slot.id for slot in slots(goods))
    book(mallory, goods, slot_id=second)
    with transaction():
        slot_actions.close(slot_id=third, by=MEI, now=NOON)
    for wanted, refusal in (
        (second, TimeFull),
        (third, TimeGone),
        (other.slot_id, TimeGone),
        (0, TimeGone),
    ):
        with pytest.raises(refusal):
            act(actions.move, order, slot_id=wanted)
    with pytest.raises(TooLateToMove):
        act(actions.move, order, slot_id=second, now=NOON + 2 * DAY)
    act(actions.move, order, slot_id=first, now=NOON + 2 * DAY)
    assert booking_of(order).slot_id == first


@pytest.mark.parametrize(("move", "cancel"), [(2, 48), (23, 24)])
def test_moving_never_brings_the_right_to_cancel_back(app, move, cancel):
    with pytest.raises(InvalidInput, match=f"at least {cancel} hours for moving"), transaction():
        change(SlotTerms, {"move_hours": move, "cancel_hours": cancel}, by=MEI, now=NOON)
    assert current(SlotTerms) == SlotTerms()
    with transaction():
        change(SlotTerms, {"move_hours": cancel, "cancel_hours": move}, by=MEI, now=NOON)


def test_moving_away_from_a_closed_time_takes_a_place_of_the_other(alice):
    goods = yoga(3, 4, places=2)
    order, (early, late) = book(alice, goods), (slot.id for slot in slots(goods))
    with transaction():
        slot_actions.close(slot_id=early, by=MEI, now=NOON)
    act(actions.move, order, slot_id=late)
    assert (taken(goods), stock_of(goods)) == ([(0, 2, True), (1, 2, False)], 1)


# --- called off by the shop ------------------------------------------------------------------------


def test_a_time_that_is_called_off_pays_everybody_back(alice, mallory):
    goods = yoga(3, 4, points=100, cash=500, places=4)
    paid, unpaid = book(alice, goods), book(mallory, goods)
    report(paid, attempt(paid))
    made = call_off_slot(slot_id=goods.slot_id, reason="The teacher is ill.", by=MERCHANT, now=NOON)
    assert (made.done, made.failed) == (2, [])
    assert (state_of(paid), state_of(unpaid)) == ("cancelled", "cancelled")
    assert (wallet_of(alice), wallet_of(mallory)) == ((1_000, 0), (1_000, 0))
    case = db.session.scalars(sa.select(ReturnCase)).one()
    assert (case.reason, case.answer, case.cash, case.points) == ("unavailable", "The teacher is ill.", 500, 100)
    assert db.session.scalars(sa.select(OrderStep.note).where(OrderStep.note != "")).all() == ["The teacher is ill."]
    assert (taken(goods), stock_of(goods)) == ([(0, 4, True), (0, 4, False)], 4)
    again = call_off_slot(slot_id=goods.slot_id, reason="The teacher is ill.", by=MERCHANT, now=NOON)
    assert again.done == 0
    called_off = sa.select(AuditEntry.after).where(AuditEntry.action == "slot.cancel")
    noted = db.session.scalars(called_off.order_by(AuditEntry.id)).first()
    assert noted == {"reason": "The teacher is ill.", "bookings": 2}


@pytest.mark.parametrize("cash", [0, 1000])  # Paid with points at once, or not paid yet.
def test_who_was_called_off_by_the_shop_has_the_purchase_limit_back(alice, cash):
    goods = yoga(3, 4, places=5, cash=cash)
    limited = sa.update(Product).where(Product.id == goods.product_id)
    with transaction():
        db.session.execute(limited.values(limit_pieces=1, limit_period="month"))
    order, (first, second) = book(alice, goods), slots(goods)
    call_off_slot(slot_id=first.id, reason="Rain", by=MEI, now=NOON)
    assert state_of(order) == "cancelled"
    assert stock_of(goods) == 5  # Of the second time alone.
    book(alice, goods, slot_id=second.id)
    with pytest.raises(LimitReached):
        book(alice, goods, slot_id=second.id)


def test_one_booking_that_resists_does_not_keep_the_others(alice, mallory, monkeypatch):
    goods = yoga(3)
    first, second = book(alice, goods), book(mallory, goods)
    call_off = actions.call_off

    def stumble(*, order_id, **values):
        if order_id == first:
            raise ZeroDivisionError
        return call_off(order_id=order_id, **values)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "call_off", stumble)
        made = call_off_slot(slot_id=goods.slot_id, reason="Rain", by=MERCHANT, now=NOON)
    assert (made.done, len(made.failed)) == (1, 1)
    assert (state_of(first), state_of(second)) == ("paid", "cancelled")
    assert call_off_slot(slot_id=goods.slot_id, reason="Rain", by=MERCHANT, now=NOON).done == 1


# --- who came --------------------------------------------------------------------------------------


def test_has_come_and_did_not_come(alice, mallory):
    goods = yoga(2)
    came, stayed = book(alice, goods), book(mallory, goods)
    with pytest.raises(NotYet):
        act(actions.attend, came, by=MERCHANT, now=NOON + DAY)
    begins = NOON + 2 * DAY
    act(actions.attend, came, by=MERCHANT, now=begins - HOUR)
    with pytest.raises(NotYet):
        act(actions.miss, stayed, by=MERCHANT, now=begins - HOUR)
    act(actions.miss, stayed, by=MERCHANT, now=begins + HOUR)
    assert (booking_of(came).state, booking_of(stayed).state) == ("attended", "missed")
    assert steps_of(came) == steps_of(stayed) == ["placed", "paid", "delivered"]
    assert wallet_of(mallory) == (900, 0)
    for again in (actions.attend, actions.miss):
        with pytest.raises(NotBooked):
            act(again, stayed, by=MERCHANT, now=begins + HOUR)
    slot_jobs.close_begun(now=begins + HOUR)


def test_of_whom_nobody_says_anything_has_come_a_day_later(alice):
    goods = yoga(2)
    order, ends = book(alice, goods), NOON + 2 * DAY + HOUR
    slot_jobs.close_begun(now=ends)
    assert jobs.take_as_attended(now=ends + DAY - timedelta(seconds=1)) == 0
    assert jobs.take_as_attended(now=ends + DAY) == 1
    assert jobs.take_as_attended(now=ends + DAY) == 0
    assert (booking_of(order).state, state_of(order)) == ("attended", "delivered")


def test_a_service_whose_time_is_far_ahead_is_not_taken_as_received(alice, monkeypatch):
    """However long ago it was paid; and those that wait do not hold up those that do not."""
    monkeypatch.setattr(order_jobs, "BATCH", 2)
    goods = yoga(90, 2)
    ahead = [book(alice, goods, slot_id=slots(goods)[1].id) for _ in range(3)]
    over = book(alice, goods, slot_id=slots(goods)[0].id)
    refused = []
    monkeypatch.setattr(order_jobs.log, "exception", lambda *told: refused.append(told))
    assert order_jobs.take_as_received(now=NOON + 31 * DAY) == 1
    assert ([state_of(order) for order in ahead], state_of(over)) == (["paid"] * 3, "delivered")
    assert refused == []


# --- a calendar's file -----------------------------------------------------------------------------


def test_a_calendar_reads_the_file():
    made = calendar_file(
        uid="booking-7@shop.example",
        stamp=NOON,
        starts_at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ends_at=datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        title="Yoga; slow, and\\or warm",
        place="湖畔营地" * 12,
        text="One\nTwo\r\x07END:VCALENDAR",
        url="https://shop.example/orders/J1",
    ).decode()
    lines = made.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in made.replace("\r\n", "")
    whole = made.replace("\r\n ", "").split("\r\n")
    assert "DTSTART:20261025T003000Z" in whole
    assert "DTSTAMP:20260615T040000Z" in whole
    assert r"SUMMARY:Yoga\; slow\, and\\or warm" in whole
    assert f"LOCATION:{'湖畔营地' * 12}" in whole
    assert r"DESCRIPTION:One\nTwoEND:VCALENDAR" in whole
    assert whole.count("END:VCALENDAR") == 1


def test_times_that_are_added_while_others_are_booked_change_no_booking(alice):
    goods = yoga(3)
    order = book(alice, goods)
    add(goods, 5)
    assert booking_of(order).slot_id == goods.slot_id
