"""When, for whom and how many: listing by the clock, sales with a beginning and an end, tiers, limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.foundation import clock
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.identity.tags.actions import tag
from app.loyalty.benefits.actions import give_benefit
from app.loyalty.benefits.queries import Perks
from app.loyalty.tiers.actions import install_defaults
from app.loyalty.tiers.queries import ladder
from app.mall.catalog.actions import change_stock, create_product, list_product, take_pieces
from app.mall.catalog.errors import LimitReached, NotOnSaleYet, OnlyFromTier, SaleOver
from app.mall.catalog.limits import taken
from app.mall.catalog.queries import offer_for, product_by_slug, within_reach
from app.mall.catalog.rules import Limit, VariantDraft, Window, period_start
from app.mall.catalog.shelf import Wanted, listed
from app.mall.catalog.stockroom import product_of_units
from tests.cast import sign_in
from tests.conftest import NOON
from tests.loyalty.benefits.having import entry, offer
from tests.loyalty.tiers.climbing import put_on
from tests.mall.catalog.shelf import CLERK, draft, first_variant, product, put_on_shelf

DAY = timedelta(days=1)
MONTHLY = Limit(2, "month")


def names(now=NOON):
    return [shown.product.name["en"] for shown in listed(Wanted(), limit=50, now=now).items]


@pytest.fixture
def perks(monkeypatch):
    """Give whoever looks some perks: ``perks(rank=2, days=3)``."""

    def give(rank=0, days=0):
        class Given(Perks):
            def early_access_days(self, unit_id):
                return days

        for room in ("queries", "views"):
            monkeypatch.setattr(f"app.mall.catalog.{room}.perks_of", lambda member, now: Given(rank if member else -1))

    return give


def offered(slug, member_id, now=NOON, **what):
    return offer_for(product(slug).variants[0].id, member_id=member_id, now=now, **what)


# --- listing --------------------------------------------------------------------------------


def test_a_scheduled_listing_comes_by_the_clock_and_stands_first_then(app):
    put_on_shelf("Old")
    slug = put_on_shelf("Scheduled", listed=False)
    with transaction():
        list_product(product=product_of_units(None, slug), at=NOON + DAY, by=CLERK, now=NOON)
    assert names() == ["Old"]
    assert product_by_slug(slug, now=NOON + DAY - timedelta(seconds=1)) is None
    assert product_by_slug(slug, now=NOON + DAY) is not None
    assert names(NOON + DAY)[0] == "Scheduled"


def test_before_its_moment_nobody_finds_or_orders_a_scheduled_product(client, alice):
    slug = put_on_shelf("Scheduled", listed=False)
    with transaction():
        list_product(product=product_of_units(None, slug), at=NOON + DAY, by=CLERK, now=NOON)
    browser = sign_in(client, alice)
    assert browser.get(f"/mall/{slug}").status_code == 404
    assert browser.post(f"/mall/{slug}/wish").status_code == 404
    assert "Scheduled" not in browser.get("/mall?q=scheduled").text.replace('value="scheduled"', "")
    assert offered(slug, alice.id) is None


def test_a_listing_in_the_past_is_one_of_now(app):
    slug = put_on_shelf("Tea", listed=False)
    with transaction():
        list_product(product=product_of_units(None, slug), at=NOON - DAY, by=CLERK, now=NOON)
    assert product(slug).listed_at == NOON


# --- windows --------------------------------------------------------------------------------


def test_before_its_sale_a_product_is_seen_but_not_sold_and_the_first_moment_counts(alice):
    slug = put_on_shelf("Hamper", window=Window(NOON + DAY, None))
    assert names() == ["Hamper"]
    with pytest.raises(NotOnSaleYet):
        offered(slug, alice.id)
    assert offered(slug, alice.id, NOON + DAY) is not None


def test_after_its_sale_a_product_is_gone_from_the_shelves_and_says_so_where_a_wish_leads(client, alice):
    slug = put_on_shelf("Hamper", window=Window(None, NOON + DAY))
    assert names(NOON + DAY - timedelta(seconds=1)) == ["Hamper"]
    assert names(NOON + DAY) == []
    with pytest.raises(SaleOver):
        offered(slug, alice.id, NOON + DAY)
    with clock.freeze(NOON + DAY):
        page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "The sale has ended." in page
    assert ">Redeem<" not in page


def test_early_access_opens_so_many_days_before(client, alice, perks):
    slug = put_on_shelf("Hamper", ways=((100, 0),), window=Window(NOON + 3 * DAY, None))
    perks(rank=2, days=2)
    with pytest.raises(NotOnSaleYet):
        offered(slug, alice.id)
    page = sign_in(client, alice).get(f"/mall/{slug}").text
    assert "earlier than for everybody" in page
    assert ">Redeem<" not in page
    perks(rank=2, days=3)
    assert offered(slug, alice.id) is not None
    page = client.get(f"/mall/{slug}").text
    assert "Your tier is let in early" in page
    assert ">Redeem<" in page
    assert "Early access" in client.get("/mall").text


def test_a_sale_does_not_end_before_it_begins(app):
    wanted = draft(window=Window(NOON, NOON))
    with pytest.raises(InvalidInput), transaction():
        create_product(draft=wanted, by=CLERK, now=NOON)


# --- tiers ----------------------------------------------------------------------------------


@pytest.fixture
def gold(app):
    with transaction():
        install_defaults()
    return next(tier for tier in ladder() if tier.code == "gold")


def test_what_is_for_gold_is_seen_by_all_and_ordered_from_gold_up(client, alice, perks, gold):
    slug = put_on_shelf("Lounge", ways=((100, 0),), tier_id=gold.id)
    browser = sign_in(client, alice)
    perks(rank=gold.rank - 1)
    with pytest.raises(OnlyFromTier, match="Gold"):
        offered(slug, alice.id)
    assert "From Gold up" in browser.get("/mall").text
    assert ">Redeem<" not in browser.get(f"/mall/{slug}").text
    perks(rank=gold.rank)
    assert offered(slug, alice.id) is not None
    assert ">Redeem<" in browser.get(f"/mall/{slug}").text


def test_exclusive_products_by_a_tag_or_by_hand_open_what_is_for_a_tier_in_their_units(client, alice, gold):
    put_on("silver", alice.id, since=NOON)
    here = put_on_shelf("Lounge", ways=((100, 0),), tier_id=gold.id)
    there = put_on_shelf("Box", unit="cinema", tier_id=gold.id)
    by_tag = entry("tier_only", "by-tag", tags=["vip"], units=["mall"])
    offer(by_tag, entry("tier_only", "by-hand"), entry("tier_only", "by-tier", tiers=["silver"]))
    for slug in (here, there):  # A tier opens what is for it, and no more.
        with pytest.raises(OnlyFromTier):
            offered(slug, alice.id)
    with transaction():
        tag(member=alice, text="vip", by=SYSTEM, now=NOON)
    assert offered(here, alice.id) is not None
    assert ">Redeem<" in sign_in(client, alice).get(f"/mall/{here}").text
    with pytest.raises(OnlyFromTier):
        offered(there, alice.id)
    today = {"first_day": NOON.date(), "last_day": NOON.date()}
    with transaction():
        give_benefit(member=alice, code="by-hand", **today, reason="Sorry", by=SYSTEM, now=NOON)
    assert offered(there, alice.id) is not None
    with pytest.raises(OnlyFromTier):
        offered(there, alice.id, NOON + DAY)


def test_a_visitor_is_told_whom_it_is_for(client, gold):
    slug = put_on_shelf("Lounge", tier_id=gold.id)
    assert "For members from Gold up" in client.get(f"/mall/{slug}").text


def test_the_home_page_suggests_only_what_everybody_can_have_now(gold):
    put_on_shelf("For gold", ways=((100, 0),), tier_id=gold.id)
    put_on_shelf("Tomorrow", ways=((100, 0),), window=Window(NOON + DAY, None))
    put_on_shelf("Yesterday", ways=((100, 0),), window=Window(None, NOON))
    put_on_shelf("Now", ways=((100, 0),))
    assert [pick.name["en"] for pick in within_reach(Points(500), limit=9, now=NOON)] == ["Now"]


# --- limits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "start"),
    [("day", (2026, 6, 17)), ("week", (2026, 6, 15)), ("month", (2026, 6, 1)), ("year", (2026, 1, 1))],
)
def test_periods_are_those_of_the_calendar(period, start):
    assert period_start(period, datetime(2026, 6, 17, tzinfo=UTC).date()).timetuple()[:3] == start


def take(slug, member, quantity, number, now=NOON):
    with transaction():
        pieces = {product_of_units(None, slug).variants[0].id: quantity}
        take_pieces(pieces=pieces, number=number, by=Actor("member", member.id, member.name), now=now)


def give_back(slug, quantity, number, now=NOON):
    with transaction():
        variant_id = product_of_units(None, slug).variants[0].id
        by = Actor("system", None, "system")
        change_stock(variant_id=variant_id, change=quantity, reason="release", reference=number, by=by, now=now)


def test_a_limit_holds_per_member_and_period_and_over_all_variants(alice, mallory):
    variants = [VariantDraft(sku="A", stock=9), VariantDraft(sku="B", stock=9)]
    slug = put_on_shelf("Voucher", limit=MONTHLY, variants=variants)
    take(slug, alice, 1, "J1")
    with transaction():
        second = product_of_units(None, slug).variants[1].id
        take_pieces(pieces={second: 1}, number="J2", by=Actor("member", alice.id, ""), now=NOON)
    with pytest.raises(LimitReached, match="you have had yours"):
        take(slug, alice, 1, "J3")
    take(slug, mallory, 2, "J4")
    take(slug, alice, 2, "J5", now=NOON + 30 * DAY)
    assert [variant.stock for variant in product(slug).variants] == [4, 8]


def test_more_at_once_than_the_limit_leaves_names_what_is_left(alice):
    slug = put_on_shelf("Voucher", limit=MONTHLY)
    take(slug, alice, 1, "J1")
    with pytest.raises(LimitReached, match="1 more just now"):
        take(slug, alice, 2, "J2")
    assert first_variant(slug).stock == 9


def test_what_is_given_back_can_be_ordered_again_but_only_in_its_own_period(alice):
    slug = put_on_shelf("Voucher", limit=MONTHLY)
    take(slug, alice, 2, "J1")
    give_back(slug, 2, "J1", now=NOON + DAY)
    take(slug, alice, 2, "J2")
    give_back(slug, 2, "J2", now=NOON + 40 * DAY)
    later = NOON + 41 * DAY
    assert taken(product(slug).id, alice.id, MONTHLY, now=later) == 0
    take(slug, alice, 2, "J3", now=later)
    with pytest.raises(LimitReached):
        take(slug, alice, 1, "J4", now=later)


def test_the_month_begins_at_midnight_in_the_programmes_timezone(alice):
    slug = put_on_shelf("Voucher", limit=MONTHLY)
    take(slug, alice, 2, "J1", now=datetime(2026, 6, 30, 15, 59, tzinfo=UTC))
    with pytest.raises(LimitReached):
        take(slug, alice, 1, "J2", now=datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC))
    take(slug, alice, 1, "J3", now=datetime(2026, 6, 30, 16, 0, tzinfo=UTC))


def test_the_page_says_what_the_limit_leaves(client, alice):
    slug = put_on_shelf("Voucher", ways=((10, 0),), limit=MONTHLY)
    browser = sign_in(client, alice)
    assert "At most 2 per member and month" in browser.get(f"/mall/{slug}").text
    take(slug, alice, 1, "J1")
    page = browser.get(f"/mall/{slug}").text
    assert "You can have 1 more." in page
    assert 'max="1"' in page
    take(slug, alice, 1, "J2")
    page = browser.get(f"/mall/{slug}").text
    assert "You have had yours." in page
    assert ">Redeem<" not in page
    variant = product(slug).variants[0].id
    refused = browser.get(f"/checkout?variant={variant}&price={product(slug).prices[0].id}", follow_redirects=True)
    assert "you have had yours" in refused.text
