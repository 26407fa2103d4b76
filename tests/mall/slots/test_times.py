"""What merchants do with times, and how the stock follows."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput, NotFound
from app.mall.catalog import actions as catalog
from app.mall.catalog.models import StockMovement
from app.mall.orders import actions as orders
from app.mall.slots import actions, jobs, queries
from app.mall.slots.errors import TimeFull, TimeGone, TimePassed, TimesOverlap, TooFewPlaces
from app.mall.slots.models import ServiceSlot
from app.mall.slots.queries import Mismatch
from tests.conftest import NOON
from tests.mall.orders.shop import make_goods, stock_of
from tests.mall.slots.studio import DAY, HOUR, MEI, add, book, booking_of, slots, spell, taken, yoga


def act(action, slot_id, *, now=NOON, **values):
    with transaction():
        action(slot_id=slot_id, by=MEI, now=now, **values)


def test_times_bring_their_places_into_the_stock():
    goods = yoga(2, 3, places=8)
    assert stock_of(goods) == 16
    movement = db.session.scalars(sa.select(StockMovement)).one()
    assert (movement.change, movement.reason, movement.by) == (16, "slots", "Mei Zhao")


@pytest.fixture(autouse=True)
def _app(app):
    """Every story here needs the house."""


def test_adding_times_is_audited_once():
    goods = yoga(2, 3)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "slot.create")).one()
    assert entry.after["times"] == 2
    assert entry.subject_label == queries.services(None)[0].sku
    assert stock_of(goods) == 16


def test_what_stood_there_by_hand_gives_way_to_the_places():
    """Stock of a service from before it had times."""
    goods = make_goods("Massage", kind="service", stock=0)
    with transaction():
        catalog.change_stock(variant_id=goods.variant_id, change=50, reason="delivery", by=MEI, now=NOON)
    assert queries.mismatches() == [Mismatch(goods.variant_id, None, 50, 0)]
    add(goods, 2, places=3)
    assert stock_of(goods) == 3


def test_two_times_at_a_place_do_not_overlap():
    goods = yoga(2, places=4)
    with pytest.raises(TimesOverlap):
        add(goods, 2 + 0.5 / 24)
    with pytest.raises(TimesOverlap):
        add(goods, 5, 5)
    add(goods, 2 + 1 / 24)
    add(goods, 2 + 0.5 / 24, place="Studio 2")
    assert stock_of(goods) == 4 + 8 + 8


def test_a_room_of_a_shop_is_one_whatever_is_given_there():
    first, second, elsewhere = yoga(), yoga(), yoga(unit="other")
    add(first, 2, place="Studio 1")
    with pytest.raises(TimesOverlap):
        add(second, 2, place="Studio 1")
    add(elsewhere, 2, place="Studio 1")
    add(second, 2)
    assert [stock_of(goods) for goods in (first, second, elsewhere)] == [8, 8, 8]


@pytest.mark.parametrize("places", [0, -1, 1_001])
def test_nonsense_adds_nothing(places):
    goods = yoga()
    with pytest.raises(InvalidInput):
        add(goods, 2, places=places)
    with pytest.raises(InvalidInput):
        add(goods, 2, place="x" * 121)
    with pytest.raises(InvalidInput):
        add(goods)
    with pytest.raises(TimePassed):
        add(goods, 0)
    assert slots(goods) == []


def test_only_services_have_times():
    with pytest.raises(NotFound):
        add(make_goods(), 2)


def test_places_can_change_but_not_below_what_is_booked(alice):
    goods = yoga(2, places=4)
    book(alice, goods, places=3)
    act(actions.change_places, goods.slot_id, places=10)
    assert (taken(goods), stock_of(goods)) == ([(3, 10, False)], 7)
    with pytest.raises(TooFewPlaces, match="3 places"):
        act(actions.change_places, goods.slot_id, places=2)
    act(actions.change_places, goods.slot_id, places=3)
    assert (taken(goods), stock_of(goods)) == ([(3, 3, False)], 0)
    with pytest.raises(TimePassed):
        act(actions.change_places, goods.slot_id, places=9, now=NOON + 2 * DAY)


def test_a_closed_time_keeps_its_bookings_and_takes_no_more(alice, mallory):
    goods = yoga(2, 3, places=4)
    order = book(alice, goods)
    act(actions.close, goods.slot_id)
    act(actions.close, goods.slot_id)
    assert (taken(goods), stock_of(goods)) == ([(1, 4, True), (0, 4, False)], 4)
    assert booking_of(order).state == "booked"
    with pytest.raises(TimeGone):
        book(mallory, goods)
    act(actions.change_places, goods.slot_id, places=6)
    assert stock_of(goods) == 4
    act(actions.reopen, goods.slot_id)
    assert (taken(goods), stock_of(goods)) == ([(1, 6, False), (0, 4, False)], 9)
    of_slots = sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "slot")
    noted = db.session.scalars(of_slots.order_by(AuditEntry.id)).all()
    assert sorted(noted) == ["slot.close", "slot.create", "slot.places", "slot.reopen"]


def test_a_closed_time_that_nobody_booked_makes_room_and_can_come_back():
    goods = yoga(2, places=4)
    act(actions.close, goods.slot_id)
    add(goods, 2, places=6, hours=2)
    [again] = slots(goods)
    assert (again.id, again.places, again.ends_at - again.starts_at) == (goods.slot_id, 6, 2 * HOUR)
    act(actions.close, goods.slot_id)
    add(goods, 2 + 1 / 24, places=1)
    with pytest.raises(TimesOverlap):
        act(actions.reopen, goods.slot_id)
    with pytest.raises(TimePassed):
        act(actions.reopen, goods.slot_id, now=NOON + 3 * DAY)


def test_places_given_back_to_a_closed_time_are_not_for_sale(alice):
    goods = yoga(2, places=4, cash=100)
    order = book(alice, goods)
    act(actions.close, goods.slot_id)
    with transaction():
        orders.close_unpaid(order_id=order, now=NOON + HOUR)
    assert (taken(goods), stock_of(goods)) == ([(0, 4, True)], 0)
    assert booking_of(order).state == "cancelled"


def test_a_time_that_begins_leaves_the_stock(alice):
    goods = yoga(2, 3, places=4)
    book(alice, goods)
    begins = NOON + 2 * DAY
    assert jobs.close_begun(now=begins - timedelta(seconds=1)) == 0
    assert jobs.close_begun(now=begins) == 1
    assert jobs.close_begun(now=begins) == 0
    assert (taken(goods), stock_of(goods)) == ([(1, 4, True), (0, 4, False)], 4)


def test_a_late_job_sells_nothing_and_loses_nothing(alice, mallory):
    """The worker was away: the time began an hour ago, and an unpaid order for it closes before the job comes."""
    goods = yoga(2, 3, places=4, cash=100)
    now = NOON + 2 * DAY
    order = book(alice, goods, now=now - timedelta(minutes=10))
    with pytest.raises(TimeGone):
        book(mallory, goods, now=now)
    with transaction():
        orders.close_unpaid(order_id=order, now=now + HOUR)
    assert queries.mismatches() == []
    assert jobs.close_begun(now=now + HOUR) == 1
    assert stock_of(goods) == 4


def test_one_service_that_resists_does_not_keep_the_others(monkeypatch, caplog):
    first, second = yoga(1), yoga(1)
    close = actions.close_begun

    def stumble(*, variant_id, now):
        if variant_id == first.variant_id:
            raise ZeroDivisionError
        return close(variant_id=variant_id, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "close_begun", stumble)
        assert jobs.close_begun(now=NOON + 2 * DAY) == 1
    assert (taken(first), taken(second)) == ([(0, 8, False)], [(0, 8, True)])
    assert f"times of variant {first.variant_id}" in caplog.text
    assert jobs.close_begun(now=NOON + 2 * DAY) == 1  # The next minute.
    assert taken(first) == [(0, 8, True)]


def test_a_time_is_booked_until_it_is_full(alice, mallory):
    goods = yoga(2, places=3)
    book(alice, goods, places=2)
    with pytest.raises(TimeFull, match="Only 1 place"):
        book(mallory, goods, places=2)
    book(mallory, goods)
    with pytest.raises(TimeFull, match="fully booked"):
        book(mallory, goods)
    assert taken(goods) == [(3, 3, False)]


def test_verify_notices_places_that_nobody_booked():
    goods = yoga(2)
    with transaction():
        slot = slots_row(goods)
        slot.taken = 1
    found = queries.mismatches()
    with transaction():
        slots_row(goods).taken = 0
    assert found == [
        Mismatch(goods.variant_id, None, 8, 7),
        Mismatch(goods.variant_id, goods.slot_id, 1, 0),
    ]


def slots_row(goods):
    return db.session.get_one(ServiceSlot, goods.slot_id)


def test_what_begins_at_midnight_is_booked_the_day_before(alice):
    """Noon is 12:00 in Shanghai: half a day later is midnight there, and still the same day in UTC."""
    goods = yoga(0.5)
    order = book(alice, goods)
    assert booking_of(order).state == "booked"
    found = queries.slots_ahead(goods.variant_id, since=NOON, until=NOON + 7 * DAY)
    assert [(slot.starts_at, slot.free) for slot in found] == [(spell(0.5).starts_at, 7)]


def test_a_time_lies_at_most_two_years_ahead(app):
    goods = yoga(730)
    with pytest.raises(InvalidInput, match="two years"):
        add(goods, 740)
    assert stock_of(goods) == 8
