"""From the mall to the wallet: what was paid in cash earns once the order is completed; what points paid never does."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.identity.members.models import Member
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases.models import Purchase, PurchaseLine
from app.loyalty.tiers.queries import progress
from app.mall.orders.actions import confirm_delivery, pack, ship
from app.mall.orders.jobs import complete_orders
from app.mall.orders.queries import order_by_id
from tests.conftest import NOON
from tests.factories import give_points
from tests.mall.orders.shop import attempt, make_goods, order_some, report

WELCOME = 20
RICH = 1000
LATER = NOON + timedelta(days=4)
MUCH_LATER = LATER + timedelta(days=8)


@pytest.fixture
def saver(alice: Member) -> Member:
    with transaction():
        give_points(alice.id, RICH, key="test:saver")
    return alice


def figures(member: Member, now: datetime = NOON) -> tuple[int, int]:
    """Available, on the way."""
    seen = standing(member.id, now=now)
    return int(seen.available), int(seen.on_the_way)


def deliver(order_id: int) -> None:
    with transaction():
        pack(order_id=order_id, by=SYSTEM, now=NOON)
        ship(order_id=order_id, carrier="Swallow Parcel", tracking_number="RX1", by=SYSTEM, now=NOON)
        confirm_delivery(order_id=order_id, by=SYSTEM, now=LATER)


def purchases(member: Member) -> list[Purchase]:
    return list(db.session.scalars(sa.select(Purchase).where(Purchase.member_id == member.id)))


def test_points_for_the_cash_part_are_on_the_way_until_the_return_window_is_over(saver):
    goods = make_goods(points=300, cash=149_90)
    order_id = order_some(saver.id, goods)
    assert figures(saver) == (RICH + WELCOME - 300, 0)  # Nothing is earned before the cash has come.

    report(order_id, attempt(order_id))
    assert figures(saver) == (RICH + WELCOME - 300, 149)

    deliver(order_id)
    assert complete_orders(now=LATER + timedelta(days=6)) == 0
    assert figures(saver, LATER) == (RICH + WELCOME - 300, 149)

    assert complete_orders(now=MUCH_LATER) == 1
    assert figures(saver, MUCH_LATER) == (RICH + WELCOME - 300 + 149, 0)
    assert verify().clean


def test_the_purchase_on_record_is_the_cash_and_nothing_else(saver):
    goods = make_goods(points=100, cash=30_50)
    order_id = order_some(saver.id, goods, quantity=2)
    report(order_id, attempt(order_id))
    order, (purchase,) = order_by_id(order_id), purchases(saver)
    assert (purchase.order_no, purchase.source, purchase.amount) == (order.number, "mall", 61_00)
    (line,) = db.session.scalars(sa.select(PurchaseLine).where(PurchaseLine.purchase_id == purchase.id))
    assert (line.sku, line.category, line.quantity, line.amount) == (order.lines[0].sku, "gifts", 2, 61_00)


def test_an_order_for_points_alone_earns_nothing(saver):
    order_id = order_some(saver.id, make_goods(points=300))
    deliver(order_id)
    assert complete_orders(now=MUCH_LATER) == 1
    assert figures(saver, MUCH_LATER) == (RICH + WELCOME - 300, 0)
    assert purchases(saver) == []


def test_a_declined_or_closed_order_earns_nothing(saver):
    declined = order_some(saver.id, make_goods(points=100, cash=50_00))
    report(declined, attempt(declined), "failed")
    assert figures(saver) == (RICH + WELCOME - 100, 0)
    assert purchases(saver) == []


def test_a_payment_told_twice_earns_once(saver):
    order_id = order_some(saver.id, make_goods(points=100, cash=50_00))
    payment_id = attempt(order_id)
    for _ in range(2):
        report(order_id, payment_id)
    assert figures(saver) == (RICH + WELCOME - 100, 50)
    assert len(purchases(saver)) == 1


def test_completing_again_pays_nothing_again(saver):
    order_id = order_some(saver.id, make_goods(points=100, cash=50_00))
    report(order_id, attempt(order_id))
    deliver(order_id)
    assert [complete_orders(now=MUCH_LATER) for _ in range(2)] == [1, 0]
    assert figures(saver, MUCH_LATER) == (RICH + WELCOME - 100 + 50, 0)


def test_a_cash_part_too_small_for_a_point_moves_nothing_and_still_completes(saver):
    order_id = order_some(saver.id, make_goods(points=100, cash=90))
    report(order_id, attempt(order_id))
    deliver(order_id)
    assert complete_orders(now=MUCH_LATER) == 1
    assert figures(saver, MUCH_LATER) == (RICH + WELCOME - 100, 0)
    assert purchases(saver)[0].points == 0


def test_the_points_live_from_the_payment_and_the_spend_counts_for_the_tier(saver):
    order_id = order_some(saver.id, make_goods(points=100, cash=600_00))
    before = progress(saver.id, now=NOON).tier.code
    report(order_id, attempt(order_id))
    assert (before, progress(saver.id, now=NOON).tier.code) == ("regular", "silver")
    deliver(order_id)
    complete_orders(now=MUCH_LATER)
    matured = db.session.scalars(sa.select(Transfer).where(Transfer.key.endswith(":mature"))).one()
    assert Points(matured.amount) == Points(600)
    assert clock.local_date(matured.recorded_at, clock.programme_zone()).isoformat() == "2026-06-27"
