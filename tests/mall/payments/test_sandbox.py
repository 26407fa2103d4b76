from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import create_app
from app.config import ConfigurationError, Settings
from app.foundation import outbox
from app.foundation.database import db, transaction
from app.foundation.errors import NotFound
from app.foundation.money import Money
from app.mall.orders.actions import begin_payment
from app.mall.orders.jobs import close_unpaid
from app.mall.payments import gateways, jobs
from app.mall.payments.actions import record_outcome
from app.mall.payments.gateways import GatewayRefused, RefundOrder
from app.mall.payments.models import SandboxCharge
from app.mall.payments.sandbox import Sandbox, decide, notify
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import make_goods, order_some, payments_of, state_of, wallet_of

FIFTY = Money(5_000, "CNY")


@pytest.fixture
def alice(app):
    return make_member(points=1_000)


@pytest.fixture
def order(alice):
    return order_some(alice, make_goods("Kettle", points=300, cash=5_000))


@pytest.fixture
def reference(app, order):
    """An order whose member stands at the sandbox's counter."""
    with transaction():
        attempt = begin_payment(order_id=order, now=NOON)
    with app.test_request_context():
        attempt.ask(description="Order", return_url="/orders/x", cancel_url="/orders/x")
    return attempt.reference


def charges():
    db.session.rollback()
    return [(charge.amount, charge.state) for charge in db.session.scalars(sa.select(SandboxCharge))]


def test_references_cannot_be_guessed(reference):
    assert len(reference) >= 32


def test_opening_the_same_payment_again_opens_one_charge(app, reference):
    with app.test_request_context():
        for _ in range(2):
            url = Sandbox().open_payment(
                reference=reference, amount=FIFTY, description="Order", return_url="/a", cancel_url="/b"
            )
    assert url == f"/sandbox/{reference}"
    assert charges() == [(5_000, "open")]


def test_the_first_press_decides(reference):
    decide(reference=reference, wish="declined")
    decide(reference=reference, wish="paid")
    assert charges() == [(5_000, "declined")]


def test_an_open_charge_has_nothing_to_tell(order, reference):
    notify(reference=reference, now=NOON)
    assert payments_of(order) == [("open", 0)]


def test_a_notice_that_got_lost_is_repeated(alice, order, reference):
    decide(reference=reference, wish="paid")  # The power fails before the shop hears of it.
    assert state_of(order) == "placed"
    assert jobs.settle_payments(now=NOON + timedelta(minutes=1)) == 0, "The person is still at the counter."
    assert jobs.settle_payments(now=NOON + timedelta(minutes=2)) == 1
    assert jobs.settle_payments(now=NOON + timedelta(minutes=9)) == 0
    assert state_of(order) == "paid"
    assert wallet_of(alice) == (700, 0)


def give_back(reference, amount, key="return:1"):
    return Sandbox().refund(RefundOrder(reference, None, key, 0, None, Money(amount, "CNY")))


def test_only_what_was_paid_is_given_back(reference):
    with pytest.raises(GatewayRefused):
        give_back(reference, 5_000)
    decide(reference=reference, wish="paid")
    with pytest.raises(GatewayRefused):
        give_back(reference, 5_001)
    assert charges() == [(5_000, "paid")]
    first, second = (give_back(reference, 5_000) for _ in range(2))
    assert first == second
    assert charges() == [(5_000, "refunded")]


def test_given_back_in_parts(reference):
    decide(reference=reference, wish="paid")
    give_back(reference, 2_000, "return:1")
    give_back(reference, 2_000, "return:1")
    assert charges() == [(5_000, "paid")]
    with pytest.raises(GatewayRefused):
        give_back(reference, 3_001, "return:2")
    give_back(reference, 3_000, "return:2")
    assert charges() == [(5_000, "refunded")]


def test_when_the_order_ends_nobody_can_pay_any_more(order, reference):
    late = NOON + timedelta(minutes=31)
    close_unpaid(now=late)
    outbox.deliver_due(now=late)
    assert charges() == [(5_000, "expired")]
    decide(reference=reference, wish="paid")
    assert charges() == [(5_000, "expired")]
    assert payments_of(order) == [("failed", 0)]


def test_an_outcome_of_an_unknown_payment_is_refused(app, order):
    with transaction(), pytest.raises(NotFound):
        record_outcome(gateway="sandbox", reference="nobody-knows-this", outcome="paid", now=NOON)
    assert state_of(order) == "placed"


def test_an_outcome_of_another_gateway_does_not_count(order, reference):
    with transaction(), pytest.raises(NotFound):
        record_outcome(gateway="stripe", reference=reference, outcome="paid", now=NOON)
    assert state_of(order) == "placed"


def test_a_gateway_that_was_removed_says_so(app):
    with pytest.raises(gateways.GatewayUnavailable):
        gateways.named("abacus")


PRODUCTION = {
    "environment": "production",
    "secret_key": "x" * 40,
    "public_url": "https://points.example",
    "mail_url": "smtp://mail.example",
}


def test_production_refuses_the_sandbox():
    with pytest.raises(ConfigurationError, match="sandbox"):
        Settings(**PRODUCTION, payment_gateway="sandbox")


def test_without_the_sandbox_its_page_does_not_exist(tmp_path: Path):
    app = create_app(Settings(**PRODUCTION, payment_gateway="none", instance_path=tmp_path))
    assert "sandbox" not in app.blueprints
    with app.app_context():
        assert gateways.configured() is None
