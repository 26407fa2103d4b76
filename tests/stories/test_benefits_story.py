"""Benefits really take effect: in what a member pays, earns, may have and may return, and in the service they get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.identity.members.queries import member_by_id
from app.identity.tags.actions import tag, untag
from app.loyalty.tiers.actions import end_due_grants, give_tier
from app.loyalty.tiers.queries import ladder
from app.mall.catalog.errors import NotOnSaleYet, OnlyFromTier
from app.mall.catalog.queries import offer_for
from app.mall.catalog.rules import Window
from app.mall.orders import actions, jobs
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy, give_points
from tests.loyalty.benefits.having import VIP_PRICE, defaults, offer
from tests.loyalty.tiers.climbing import put_on
from tests.mall.catalog.shelf import first_variant, put_on_shelf
from tests.mall.orders.shop import make_goods, order_some, state_of

DAY = timedelta(days=1)
MONEY = ((0, 100_00),)


@pytest.fixture
def programme(app):
    defaults()


def price(slug, member):
    """In cash, of one piece, as an order would be placed."""
    offered = offer_for(first_variant(slug).id, member_id=member.id, now=NOON)
    [way] = offered.ways.values()
    return way.cash.amount


@pytest.mark.parametrize(
    ("tier", "worth"), [("regular", (95_00, 95)), ("silver", (92_00, 138)), ("gold", (88_00, 176))]
)
def test_a_tier_changes_what_something_costs_and_what_it_brings(programme, unit, alice, tier, worth):
    put_on(tier, alice.id, since=NOON)
    cash = price(put_on_shelf(ways=MONEY), alice)
    assert (cash, buy(alice.id, cash, unit=unit)) == worth


def test_the_page_shows_the_members_price_beside_the_ordinary_one(client, programme, alice):
    put_on("diamond", alice.id, since=NOON)
    slug = put_on_shelf(ways=MONEY)
    assert "¥80" not in client.get(f"/mall/{slug}").text
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "¥80" in page
    assert "¥100" in page


def test_a_tag_changes_the_price_at_once_and_back(app, alice):
    offer(VIP_PRICE)
    slug = put_on_shelf(ways=MONEY)
    prices = [price(slug, alice)]
    for what in (tag, untag):
        with transaction():
            what(member=member_by_id(alice.id), text="vip", by=SYSTEM, now=NOON)
        prices.append(price(slug, alice))
    assert prices == [100_00, 70_00, 100_00]


def test_gold_is_let_in_a_day_early_and_diamond_three(programme, alice, bob):
    slug = put_on_shelf(ways=MONEY, window=Window(NOON + 2 * DAY, None))
    put_on("gold", alice.id, since=NOON)
    put_on("diamond", bob.id, since=NOON)
    with pytest.raises(NotOnSaleYet):
        price(slug, alice)
    assert price(slug, bob) == 80_00


def test_what_is_for_gold_is_refused_below_it(programme, alice, bob):
    gold = next(tier for tier in ladder() if tier.code == "gold")
    slug = put_on_shelf(ways=MONEY, tier_id=gold.id)
    put_on("silver", alice.id, since=NOON)
    put_on("gold", bob.id, since=NOON)
    with pytest.raises(OnlyFromTier):
        price(slug, alice)
    assert price(slug, bob) == 88_00


def test_an_order_of_gold_completes_a_week_later_as_they_may_return_it_longer(programme, alice, bob):
    last_day = (NOON + DAY).date()
    with transaction():
        give_tier(member=alice, tier_code="gold", last_day=last_day, reason="Thanks", by=SYSTEM, now=NOON)
    orders = {}
    for member in (alice, bob):
        with transaction():
            give_points(member.id, 500, key=f"test:{member.id}")
        orders[member.id] = order_some(member.id, make_goods(points=100))
        with transaction():
            actions.pack(order_id=orders[member.id], by=SYSTEM, now=NOON)
        with transaction():
            actions.ship(order_id=orders[member.id], carrier="SF", tracking_number="1", by=SYSTEM, now=NOON)
        with transaction():
            actions.confirm_delivery(order_id=orders[member.id], by=member.actor, now=NOON + DAY)
    with transaction():
        assert end_due_grants(now=NOON + 2 * DAY) == 1  # A fall after the delivery takes nothing away.
    jobs.complete_orders(now=NOON + 8 * DAY)
    assert [state_of(orders[each.id]) for each in (alice, bob)] == ["delivered", "completed"]
    jobs.complete_orders(now=NOON + 15 * DAY - timedelta(seconds=1))
    assert state_of(orders[alice.id]) == "delivered"
    jobs.complete_orders(now=NOON + 15 * DAY)
    assert state_of(orders[alice.id]) == "completed"


def test_gold_has_a_contact_person_and_the_desk_knows(client, programme, agent, alice):
    put_on("gold", alice.id, since=NOON)
    assert "Ask for your contact person" in sign_in(client, alice).get("/benefits").text
    desk = sign_in(client.application.test_client(), agent)
    assert "Has a contact person of their own" in desk.get(f"/backoffice/members/{alice.code}").text


def test_the_home_page_tells_of_gifts_until_they_are_claimed(client, programme, alice):
    put_on("gold", alice.id, since=NOON)
    sign_in(client, alice)
    assert "1 gift is waiting for you" in client.get("/").text
    client.post("/benefits/claims", data={"code": "monthly-gift-gold", "period": "2026-06"})
    assert "waiting for you" not in client.get("/").text
