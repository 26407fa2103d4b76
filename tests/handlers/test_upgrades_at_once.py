"""Whatever brings points that count for the tier is followed by a look at the tier, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin.actions import check_in
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.tiers.models import TierChange
from app.loyalty.tiers.queries import tiers_of
from app.mall.orders.actions import complete, confirm_delivery, pack, ship
from tests.conftest import NOON
from tests.factories import buy, give_points
from tests.mall.orders.shop import attempt, make_goods, order_some, report

DAY = timedelta(days=1)


def tier(member):
    return tiers_of([member.id])[member.id].code


def upgrades(member):
    query = sa.select(TierChange).where(TierChange.member_id == member.id, TierChange.reason == "upgrade")
    return db.session.scalars(query).all()


def come_by(member, *, days=0):
    with transaction():
        return check_in(member_id=member.id, now=NOON + days * DAY)


@pytest.fixture
def almost_silver(alice, unit):
    """Alice has earned 495 points, 20 for joining and 475 for what was bought: five short of Silver."""
    buy(alice.id, 475_00, unit=unit)
    return alice


def test_the_check_in_that_fills_the_bar_makes_silver_at_once(almost_silver):
    assert tier(almost_silver) == "regular"
    come_by(almost_silver)
    assert tier(almost_silver) == "silver"


def test_a_check_in_that_is_not_enough_changes_nothing(bob):
    come_by(bob)
    assert tier(bob) == "regular"
    assert upgrades(bob) == []


def test_a_second_click_on_the_same_day_is_no_second_step(almost_silver):
    for _ in range(2):
        come_by(almost_silver)
    assert len(upgrades(almost_silver)) == 1


def test_points_that_mature_with_an_order_make_silver_at_once(alice):
    with transaction():
        give_points(alice.id, 1_000, key="test:opening")
    order_id = order_some(alice.id, make_goods(points=100, cash=480_00))
    report(order_id, attempt(order_id))
    with transaction():
        pack(order_id=order_id, by=SYSTEM, now=NOON)
        ship(order_id=order_id, carrier="Swallow Parcel", tracking_number="RX1", by=SYSTEM, now=NOON)
        confirm_delivery(order_id=order_id, by=SYSTEM, now=NOON)
    assert tier(alice) == "regular"  # 480 yuan spent, 20 points earned, 480 more on the way.
    with transaction():
        complete(order_id=order_id, now=NOON + 8 * DAY)
    assert tier(alice) == "silver"
    assert len(upgrades(alice)) == 1
