from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation import events, outbox
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.queries import member_by_id
from app.loyalty.ledger import actions as ledger
from app.mall.orders import actions, jobs
from app.mall.orders.actions import GRACE
from app.mall.orders.errors import PaymentOver
from app.mall.orders.events import OrderCancelled, OrderClosed, OrderPaid
from app.mall.orders.states import StepRefused
from app.mall.payments.gateways import GatewayUnavailable
from app.mall.payments.models import Payment, SandboxCharge
from tests.conftest import NOON
from tests.mall.orders.shop import (
    attempt,
    make_goods,
    order_some,
    payments_of,
    report,
    state_of,
    steps_of,
    stock_of,
    wallet_of,
)
from tests.mall.slots.studio import book, taken, yoga

LATE = NOON + timedelta(minutes=31)


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=300, cash=5_000)


@pytest.fixture
def order(alice, kettle):
    return order_some(alice, kettle)


@pytest.fixture
def heard(monkeypatch):
    """Every event, in order."""
    news = []
    publish = events.publish
    monkeypatch.setattr(events, "publish", lambda event: (news.append(event), publish(event)))
    return news


def released(member_id, goods):
    return wallet_of(member_id) == (1_000, 0) and stock_of(goods) == 10


def cancel(order_id, member_id, *, now=NOON):
    with transaction():
        actions.cancel(order_id=order_id, by=member_by_id(member_id).actor, now=now)


def test_paid_cash_spends_the_held_points(alice, kettle, order, heard):
    report(order, attempt(order))
    assert steps_of(order) == ["placed", "paid"]
    assert payments_of(order) == [("paid", 0)]
    assert wallet_of(alice) == (700, 0)
    assert [type(event) for event in heard if isinstance(event, OrderPaid)] == [OrderPaid]


def test_the_same_outcome_twice_pays_once(alice, order, heard):
    payment = attempt(order)
    report(order, payment)
    report(order, payment)
    assert steps_of(order) == ["placed", "paid"]
    assert payments_of(order) == [("paid", 0)]
    assert wallet_of(alice) == (700, 0)
    assert len([event for event in heard if isinstance(event, OrderPaid)]) == 1


def test_declined_leaves_the_order_open_for_another_try(alice, kettle, order):
    report(order, attempt(order), "failed")
    assert state_of(order) == "placed"
    assert wallet_of(alice) == (1_000, 300)
    report(order, attempt(order))
    assert state_of(order) == "paid"
    assert payments_of(order) == [("failed", 0), ("paid", 0)]


def test_a_double_click_on_pay_opens_one_attempt(order):
    assert attempt(order) == attempt(order)
    assert payments_of(order) == [("open", 0)]


def test_an_abandoned_payment_closes_the_order_after_half_an_hour(alice, kettle, order, heard):
    attempt(order)
    assert jobs.close_unpaid(now=NOON + timedelta(minutes=29)) == 0
    assert state_of(order) == "placed"
    assert jobs.close_unpaid(now=NOON + timedelta(minutes=30)) == 1
    assert steps_of(order) == ["placed", "closed"]
    assert payments_of(order) == [("failed", 0)]
    assert released(alice, kettle)
    assert [event.order_id for event in heard if isinstance(event, OrderClosed)] == [order]


def test_closing_again_changes_nothing(alice, kettle, order):
    jobs.close_unpaid(now=LATE)
    assert jobs.close_unpaid(now=LATE) == 0
    assert released(alice, kettle)
    assert steps_of(order) == ["placed", "closed"]


def test_cancelling_gives_everything_back(alice, kettle, order, heard):
    attempt(order)
    cancel(order, alice)
    assert steps_of(order) == ["placed", "cancelled"]
    assert payments_of(order) == [("failed", 0)]
    assert released(alice, kettle)
    assert [event.order_id for event in heard if isinstance(event, OrderCancelled)] == [order]


def test_cancelling_twice_gives_back_once(alice, kettle, order):
    cancel(order, alice)
    with pytest.raises(StepRefused):
        cancel(order, alice)
    assert released(alice, kettle)


def test_an_order_paid_meanwhile_is_not_cancelled_for_nothing(alice, order):
    report(order, attempt(order))
    with pytest.raises(StepRefused, match="paid meanwhile"):
        cancel(order, alice)
    assert wallet_of(alice) == (700, 0)


def test_staff_and_system_cannot_cancel_for_a_member(order):
    with transaction(), pytest.raises(StepRefused):
        actions.cancel(order_id=order, by=SYSTEM, now=NOON)


def test_a_payment_after_closing_is_refunded_once(app, alice, kettle, order):
    payment = attempt(order)
    open_charge(payment, "paid")
    jobs.close_unpaid(now=LATE)
    report(order, payment, now=LATE)
    report(order, payment, now=LATE)
    assert state_of(order) == "closed"
    assert payments_of(order) == [("paid", 0)]
    outbox.deliver_due(now=LATE)
    outbox.deliver_due(now=LATE)
    assert payments_of(order) == [("refunded", 5_000)]
    assert charge_states() == ["refunded"]
    assert released(alice, kettle)


def test_a_payment_after_cancelling_is_refunded(app, alice, kettle, order):
    payment = attempt(order)
    open_charge(payment, "paid")
    cancel(order, alice)
    report(order, payment)
    outbox.deliver_due(now=NOON)
    assert state_of(order) == "cancelled"
    assert payments_of(order) == [("refunded", 5_000)]
    assert released(alice, kettle)


def test_paying_in_two_tabs_refunds_the_second(app, alice, order):
    first = attempt(order)
    report(order, first, "failed")
    second = attempt(order)
    open_charge(first, "paid")
    report(order, second)
    report(order, first)  # The bank changed its mind about the first one.
    outbox.deliver_due(now=NOON)
    assert state_of(order) == "paid"
    assert payments_of(order) == [("refunded", 5_000), ("paid", 0)]
    assert wallet_of(alice) == (700, 0)


def test_a_decline_after_the_payment_changes_nothing(alice, order):
    payment = attempt(order)
    report(order, payment)
    report(order, payment, "failed")
    assert state_of(order) == "paid"
    assert payments_of(order) == [("paid", 0)]


def test_a_payment_just_after_its_time_counts_if_nobody_has_closed_the_order(alice, order):
    report(order, attempt(order), now=LATE)
    assert state_of(order) == "paid"
    assert wallet_of(alice) == (700, 0)


def test_a_payment_long_after_its_time_is_refunded_though_no_job_ran(app, alice, kettle, order):
    payment = attempt(order)
    open_charge(payment, "paid")
    much_later = NOON + timedelta(minutes=30) + GRACE
    with transaction():
        ledger.settle_due(now=much_later)  # The hold has run out.
    report(order, payment, now=much_later)
    outbox.deliver_due(now=much_later)
    assert state_of(order) == "closed"
    assert payments_of(order) == [("refunded", 5_000)]
    assert released(alice, kettle)


def test_no_new_attempt_after_the_time_to_pay(order):
    with pytest.raises(PaymentOver):
        attempt(order, now=LATE)
    assert payments_of(order) == []


def test_no_attempt_for_an_order_that_is_paid(alice):
    tea = make_goods(points=100)
    with pytest.raises(PaymentOver):
        attempt(order_some(alice, tea))


def test_a_shop_without_a_gateway_takes_no_cash_orders(app, alice, kettle, monkeypatch):
    monkeypatch.setattr("app.mall.payments.gateways.configured", lambda: None)
    with pytest.raises(GatewayUnavailable):
        order_some(alice, kettle)
    assert released(alice, kettle)


def test_a_shop_without_a_gateway_still_takes_points(app, alice, monkeypatch):
    monkeypatch.setattr("app.mall.payments.gateways.configured", lambda: None)
    assert state_of(order_some(alice, make_goods(points=100))) == "paid"


def test_a_refund_that_fails_is_tried_again(app, alice, order, monkeypatch):
    payment = attempt(order)
    open_charge(payment, "paid")
    jobs.close_unpaid(now=LATE)
    report(order, payment, now=LATE)
    with monkeypatch.context() as broken:
        broken.setattr("app.mall.payments.sandbox.Sandbox.refund", raise_unavailable)
        outbox.deliver_due(now=LATE)
    assert payments_of(order) == [("paid", 0)]
    assert outbox.deliver_due(now=LATE + timedelta(minutes=5)) == 1
    assert payments_of(order) == [("refunded", 5_000)]


def raise_unavailable(*_args, **_kwargs):
    raise GatewayUnavailable


def open_charge(payment_id, state):
    """What the sandbox has in its books for a payment."""
    with transaction():
        payment = db.session.get_one(Payment, payment_id)
        db.session.add(
            SandboxCharge(
                reference=payment.reference,
                description="Order",
                amount=payment.amount,
                currency=payment.currency,
                state=state,
                return_url="/orders",
                cancel_url="/orders",
                created_at=NOON,
            )
        )


def charge_states():
    db.session.rollback()
    return [charge.state for charge in db.session.query(SandboxCharge)]


def test_a_booked_time_is_paid_before_it_begins_or_is_free_again(alice):
    soon = yoga(0.25 / 24, places=2, points=300, cash=1_000)  # In a quarter of an hour.
    order = book(alice, soon)
    assert attempt(order, now=NOON + timedelta(minutes=14))
    begun = NOON + timedelta(minutes=15)
    with pytest.raises(PaymentOver):
        attempt(order, now=begun)
    assert jobs.close_unpaid(now=begun) == 1
    assert taken(soon) == [(0, 2, False)]
    assert wallet_of(alice) == (1_000, 0)
