"""What ``flask setup`` installs, as a member meets it: tiers, multipliers, member prices, rewards, points for money."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import pytest

from app.entrypoints.cli.setup import install_defaults
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.points import Points
from app.foundation.terms import change, current
from app.identity.members.models import Member
from app.loyalty.benefits.queries import perks
from app.loyalty.earning.actions import record_purchases, reward
from app.loyalty.earning.returns import return_purchase
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.queries import history
from app.loyalty.ledger.verify import verify
from app.loyalty.tiers.actions import enrol, give_tier
from app.loyalty.tiers.queries import tiers_of
from app.mall.orders.quotes import Wanted, quote
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import buy, make_member, purchase_report
from tests.mall.orders.shop import make_goods

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def programme(app):
    with transaction():
        install_defaults(now=NOON - 30 * DAY)


def member_on(tier, *, name="Lin"):
    member_id = make_member(name=name, at=NOON - DAY)
    with transaction() as session:
        enrol([member_id], now=NOON - DAY)
        if tier != "regular":
            member = session.get_one(Member, member_id)
            last = (NOON + 30 * DAY).date()
            give_tier(member=member, tier_code=tier, last_day=last, reason="Test", by=SYSTEM, now=NOON - DAY)
    return member_id


def tier_of(member_id):
    return tiers_of([member_id])[member_id].code


@pytest.mark.parametrize(
    ("tier", "points", "percent"), [("regular", 100, 5), ("silver", 150, 8), ("gold", 200, 12), ("diamond", 500, 20)]
)
def test_each_tier_has_its_multiplier_and_its_price(tier, points, percent):
    member_id, mall = member_on(tier), make_unit()
    assert buy(member_id, 100_00, unit=mall) == points
    assert perks(member_id, NOON).discount(mall.id) == percent
    kettle = make_goods("Kettle", points=0, cash=100_00, unit="mall")
    made = quote(member_id=member_id, wanted=[Wanted(kettle.variant_id, kettle.price_id)], now=NOON)
    assert made.figures.cash.amount == 100_00 - percent * 100


def test_alice_gold_buys_cosmetics_for_238_50_on_member_day_and_reads_why():
    alice, mall = member_on("gold", name="Alice"), make_unit()
    day = {"code": "day", "name": {"en": "Member day"}, "times": "2", "days": [15]}
    with transaction():
        change(EarningTerms, asdict(current(EarningTerms)) | {"campaigns": [day]}, by=SYSTEM, now=NOON - DAY)
    assert buy(alice, 238_50, unit=mall) == 954
    earned = next(each for each in history(alice) if each.kind == "purchase")
    assert "¥238.50 × 1 point per ¥1 × Gold 2 × Member day 2 = 954" in explain(earned.explanation)


def test_a_purchase_below_one_yuan_earns_nothing():
    assert buy(member_on("regular"), 99, unit=make_unit()) == 0


@pytest.mark.parametrize("spent", [499_99, 500_00])
def test_silver_begins_at_500_yuan(spent):
    member_id = member_on("regular")
    buy(member_id, spent, unit=make_unit())
    assert tier_of(member_id) == ("silver" if spent == 500_00 else "regular")


def test_two_tiers_by_one_purchase_and_what_it_earned_goes_when_it_comes_back():
    member_id, mall = member_on("regular"), make_unit()
    assert buy(member_id, 5_000_00, unit=mall, order_no="big") == 5_000  # As a regular member, who they were then.
    assert tier_of(member_id) == "gold"
    with transaction():
        assert return_purchase(unit_code="mall", order_no="big", return_no="R1", now=NOON) == Points(5_000)
    assert tier_of(member_id) == "gold"  # Looked at again at the next review.
    assert verify().clean


def test_a_late_report_is_valued_by_the_tier_of_its_own_time():
    member_id, mall = member_on("regular"), make_unit()
    buy(member_id, 5_000_00, unit=mall, order_no="big")
    assert tier_of(member_id) == "gold"
    before = NOON - timedelta(hours=2)
    with transaction():
        late = purchase_report(member_id, 100_00, unit=mall, order_no="late", occurred_at=before)
        [recorded] = record_purchases([late], now=NOON + DAY)
    assert recorded.points == Points(100)
    assert buy(member_id, 100_00, unit=mall, order_no="now", at=NOON + DAY) == 200


@pytest.mark.parametrize(("kind", "points"), [("sharing", 30), ("draw", 50), ("joining", 20)])
def test_what_else_brings_points(kind, points):
    member_id = member_on("regular")
    with transaction():
        assert reward(member_id=member_id, kind=kind, subject="once", now=NOON).points == Points(points)


def test_100_points_are_worth_one_yuan_up_to_half_of_the_goods():
    member_id = member_on("regular")
    kettle = make_goods("Kettle", points=0, cash=100_00, unit="mall")
    asked = {"member_id": member_id, "wanted": [Wanted(kettle.variant_id, kettle.price_id)], "now": NOON}
    made = quote(**asked, offset_points=1_000)
    assert (made.bill.goods, made.bill.offset, made.bill.cash) == (95_00, 10_00, 85_00)
    assert quote(**asked, offset_points=99_999).bill.offset == 47_50
