from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation import events
from app.foundation.actors import SYSTEM, Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.money import Money
from app.foundation.points import Points
from app.identity.members.queries import member_by_id
from app.mall.orders import actions, jobs
from app.mall.orders.events import OrderCompleted, OrderDelivered, OrderShipped, ParcelShipped
from app.mall.orders.queries import order_by_id
from app.mall.orders.quotes import Wanted
from app.mall.orders.rules import Figures
from app.mall.orders.states import ENDED, LABELS, TRANSITIONS, WITH_PARCEL, WITHOUT_PARCEL, StepRefused, may
from tests.conftest import NOON
from tests.mall.orders.shop import let_the_time_pass, make_goods, order_some, state_of, steps_of

MERCHANT = Actor("staff", 1, "Mei the merchant")
DAY = timedelta(days=1)


@pytest.fixture
def parcel(alice):
    return order_some(alice, make_goods(points=100))


@pytest.fixture
def heard(monkeypatch):
    news = []
    publish = events.publish
    monkeypatch.setattr(events, "publish", lambda event: (news.append(event), publish(event)))
    return news


def pack(order_id, *, now=NOON):
    with transaction():
        actions.pack(order_id=order_id, by=MERCHANT, now=now)


def ship(order_id, *, now=NOON, number="SF123", **pieces):
    with transaction():
        actions.ship(order_id=order_id, carrier="SF Express", tracking_number=number, by=MERCHANT, now=now, **pieces)


def lines_of(order_id):
    return {line.variant_id: line for line in order_by_id(order_id).lines}


def receive(order_id, member_id, *, now=NOON):
    with transaction():
        actions.confirm_delivery(order_id=order_id, by=member_by_id(member_id).actor, now=now)


def test_a_parcel_goes_all_the_way(alice, parcel, heard):
    pack(parcel, now=NOON + DAY)
    ship(parcel, now=NOON + 2 * DAY)
    [sent] = order_by_id(parcel).shipments
    assert (sent.carrier, sent.tracking_number) == ("SF Express", "SF123")
    receive(parcel, alice, now=NOON + 4 * DAY)
    assert jobs.complete_orders(now=NOON + 11 * DAY - timedelta(seconds=1)) == 0
    assert jobs.complete_orders(now=NOON + 11 * DAY) == 1
    assert steps_of(parcel) == list(WITH_PARCEL)
    assert all(line.open == 0 for line in order_by_id(parcel).lines)
    news = [event for event in heard if isinstance(event, OrderShipped | OrderDelivered | OrderCompleted)]
    assert [(type(event), event.at) for event in news] == [
        (OrderShipped, NOON + 2 * DAY),
        (OrderDelivered, NOON + 4 * DAY),
        (OrderCompleted, NOON + 11 * DAY),
    ]


def test_a_parcel_may_go_in_parts(alice, heard):
    tea, cup = make_goods("Tea", points=10), make_goods("Cup", points=20)
    wanted = [Wanted(tea.variant_id, tea.price_id, 2), Wanted(cup.variant_id, cup.price_id, 1)]
    order_id = order_some(alice, tea, wanted=wanted, expected=Figures(Points(40), Money(0, "CNY")))
    lines = lines_of(order_id)
    first, second = lines[tea.variant_id].id, lines[cup.variant_id].id
    pack(order_id)
    with pytest.raises(InvalidInput):
        ship(order_id, pieces={first: 3})
    with pytest.raises(InvalidInput):
        ship(order_id, pieces={})
    ship(order_id, pieces={first: 1})
    ship(order_id, number="SF124", pieces={first: 1, second: 0})
    assert state_of(order_id) == "part_shipped"
    with pytest.raises(StepRefused):
        receive(order_id, alice)
    ship(order_id, number="SF125", now=NOON + DAY)
    assert steps_of(order_id) == ["placed", "paid", "packed", "part_shipped", "shipped"]
    assert [
        [(each.order_line_id, each.quantity) for each in sent.pieces] for sent in order_by_id(order_id).shipments
    ] == [
        [(first, 1)],
        [(first, 1)],
        [(second, 1)],
    ]
    assert [type(event) for event in heard if isinstance(event, ParcelShipped | OrderShipped)] == [
        ParcelShipped,
        ParcelShipped,
        ParcelShipped,
        OrderShipped,
    ]
    with pytest.raises(StepRefused):
        ship(order_id)


def test_staff_steps_leave_an_audit_entry(parcel):
    pack(parcel)
    ship(parcel)
    entries = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject_kind == "order").order_by(AuditEntry.id)
    ).all()
    assert [(entry.action, entry.actor_label) for entry in entries] == [
        ("order.packed", "Mei the merchant"),
        ("order.shipped", "Mei the merchant"),
    ]
    assert entries[1].after == {"state": "shipped", "carrier": "SF Express", "tracking_number": "SF123"}


def test_a_parcel_counts_as_received_ten_days_after_shipping(parcel):
    pack(parcel)
    ship(parcel)
    assert jobs.take_as_received(now=NOON + 10 * DAY - timedelta(seconds=1)) == 0
    assert jobs.take_as_received(now=NOON + 10 * DAY) == 1
    assert jobs.take_as_received(now=NOON + 10 * DAY) == 0
    assert state_of(parcel) == "delivered"


def test_a_service_can_be_confirmed_by_the_member_or_the_merchant(alice):
    early, late = (make_goods("Massage", points=10, kind="service") for _ in "12")
    first, second = (order_some(alice, massage, address=None) for massage in (early, late))
    with pytest.raises(StepRefused, match="still to come"):
        receive(first, alice)
    let_the_time_pass(early)
    receive(first, alice)
    with pytest.raises(StepRefused, match="still to come"), transaction():
        actions.serve(order_id=second, by=MERCHANT, now=NOON)
    let_the_time_pass(late)
    with transaction():
        actions.serve(order_id=second, by=MERCHANT, now=NOON)
    assert steps_of(first) == steps_of(second) == ["placed", "paid", "delivered"]


def test_a_service_nobody_confirms_ends_after_thirty_days(alice, parcel):
    massage = order_some(alice, make_goods("Massage", points=10, kind="service"), address=None)
    assert jobs.take_as_received(now=NOON + 30 * DAY) == 1
    assert state_of(massage) == "delivered"
    assert state_of(parcel) == "paid"


def test_a_broken_order_does_not_hold_up_the_others(alice, monkeypatch):
    tea = make_goods("Kettle", points=10, cash=100)
    broken, fine = order_some(alice, tea), order_some(alice, tea)
    close = actions.close_unpaid

    def stumble(*, order_id, now):
        if order_id == broken:
            raise ZeroDivisionError
        return close(order_id=order_id, now=now)

    with monkeypatch.context() as patch:
        patch.setattr(actions, "close_unpaid", stumble)
        assert jobs.close_unpaid(now=NOON + DAY) == 1
    assert (state_of(broken), state_of(fine)) == ("placed", "closed")
    assert jobs.close_unpaid(now=NOON + DAY) == 1


def test_jobs_reach_beyond_one_batch(alice, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 2)
    voucher = make_goods("Ticket", points=1, kind="code")
    ids = [order_some(alice, voucher, address=None) for _ in range(5)]
    assert jobs.complete_orders(now=NOON + 8 * DAY) == 5
    assert {state_of(order_id) for order_id in ids} == {"completed"}


@pytest.mark.parametrize("step", [ship, lambda order: receive(order, order_by_id(order).member_id)])
def test_steps_cannot_be_skipped(parcel, step):
    with pytest.raises(StepRefused):
        step(parcel)
    assert state_of(parcel) == "paid"


def test_a_parcel_cannot_be_handed_out_without_shipping(parcel):
    with transaction(), pytest.raises(StepRefused):
        actions.serve(order_id=parcel, by=MERCHANT, now=NOON)


def test_a_voucher_cannot_be_packed(alice):
    massage = order_some(alice, make_goods("Massage", points=10, kind="service"), address=None)
    with pytest.raises(StepRefused):
        pack(massage)


def test_packing_twice_packs_once(parcel):
    pack(parcel)
    with pytest.raises(StepRefused, match="already done"):
        pack(parcel)
    assert steps_of(parcel) == ["placed", "paid", "packed"]


def test_completing_waits_for_delivery(parcel):
    with transaction(), pytest.raises(StepRefused):
        actions.complete(order_id=parcel, now=NOON)


def test_every_state_has_a_name_and_leads_somewhere_or_is_an_end():
    states = {step.before for step in TRANSITIONS} | {step.after for step in TRANSITIONS}
    assert states == set(LABELS) == {*WITH_PARCEL, *WITHOUT_PARCEL, *ENDED, "part_shipped"}
    ends = states - {step.before for step in TRANSITIONS}
    assert ends == {"completed", "cancelled", "closed"}


def test_only_the_system_pays_and_completes():
    for who in ("member", "merchant"):
        assert not may("placed", "paid", who=who, parcel=True)
        assert not may("delivered", "completed", who=who, parcel=True)
    assert SYSTEM.kind == "system"
