"""The demo is a story told through the real actions, so it must leave books that agree and something of everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.community.courses.queries import standings
from app.engagement.checkin.queries import days_of
from app.engagement.referrals.models import Referral
from app.entrypoints.demo import content, pictures, story
from app.foundation import clock
from app.foundation.database import db
from app.foundation.permissions import ROLES
from app.identity.members.models import Member
from app.identity.members.queries import default_address, find_by_ref
from app.identity.staff.models import Staff
from app.loyalty.benefits.statements import my_benefits
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer, Wallet
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases.models import Purchase
from app.loyalty.tiers.models import Membership, Tier
from app.loyalty.tiers.queries import progress
from app.mall.catalog.models import Picture, Product, Variant
from app.mall.codes import queries as codes
from app.mall.orders.models import STATES, Order, OrderStep
from app.mall.payments.models import Payment
from app.mall.slots import queries as slots
from tests.conftest import NOON
from tests.databases import Backend

MEMBERS = 8


@pytest.fixture(scope="module")
def demo(application: Flask, backend: Backend) -> Iterator[Flask]:
    """The demo, loaded once for all tests of this module; they only look at it."""
    with application.app_context(), clock.freeze(NOON), pytest.MonkeyPatch.context() as patch:
        backend.fresh()
        patch.setattr(pictures, "SIDE", 64)
        pictures._ground.cache_clear()
        story.load(locale="en", members=MEMBERS, now=NOON)
        yield application
        pictures._ground.cache_clear()
        db.session.remove()


def member(name: str) -> Member:
    found = find_by_ref(f"{name}@example.com")
    assert found is not None
    return found


def count(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_the_books_agree(demo):
    assert verify().findings == []


def test_every_voucher_has_a_pool_and_the_stock_follows_it(demo):
    pools = {pool.sku: pool for pool in codes.pools(None)}
    assert codes.mismatches() == []
    assert all(pool.free + pool.withdrawn for pool in pools.values())
    assert [sku for sku, pool in pools.items() if pool.orders] == ["CB-ICECREAM"]


def test_alice_has_codes_that_came_to_different_ends(demo):
    mine = codes.codes_of_member(member("alice").id, limit=100).items
    assert any(code.shown_at for code in mine)
    assert any(code.shown_at is None for code in mine)
    assert any(code.last_day and code.last_day < NOON.date() for code in mine)
    assert len(codes.ending_soon(member("alice").id, now=NOON)) == 1


def test_nothing_lies_in_the_future(demo):
    for moment in (Transfer.recorded_at, Transfer.occurred_at, OrderStep.at, Order.placed_at, Purchase.recorded_at):
        assert db.session.scalar(sa.select(sa.func.max(moment))) <= NOON


def test_the_history_was_told_in_order(demo):
    """Each wallet's transfers were recorded at moments that never go back."""
    last = None
    for wallet_id, moment in db.session.execute(
        sa.select(Transfer.wallet_id, Transfer.recorded_at).order_by(Transfer.wallet_id, Transfer.id)
    ):
        assert last is None or last[0] != wallet_id or last[1] <= moment
        last = (wallet_id, moment)


def test_every_tier_has_somebody(demo):
    tiers = sa.select(Tier.code).join(Membership, Membership.tier_id == Tier.id).distinct()
    assert set(db.session.scalars(tiers)) == {"regular", "silver", "gold", "diamond"}
    assert count(Member) == MEMBERS


def test_every_state_of_an_order_is_there(demo):
    assert set(db.session.scalars(sa.select(Order.state).distinct())) == set(STATES)
    assert set(db.session.scalars(sa.select(Payment.state).distinct())) == {"paid", "failed", "open"}


def test_alice_is_gold_and_can_redeem_several_things(demo):
    alice = member("alice")
    seen = standing(alice.id, now=NOON)
    assert progress(alice.id, now=NOON).tier.code == "gold"
    assert int(seen.available) > 5000
    assert int(seen.held) > 0
    assert int(seen.on_the_way) > 0
    assert int(seen.expiring_soon) > 0
    assert default_address(alice.id) is not None
    assert alice.locale is None  # The browser decides.


def test_alice_has_had_some_of_everything(demo):
    wallet = sa.select(Wallet.id).where(Wallet.member_id == member("alice").id, Wallet.ledger == "points")
    kinds = sa.select(Transfer.kind).where(Transfer.wallet_id == wallet.scalar_subquery()).distinct()
    assert set(db.session.scalars(kinds)) >= {
        "joining", "purchase", "checkin", "redemption", "adjustment", "expiry",
    }  # fmt: skip


def test_alice_can_make_it_seven_days_today(demo):
    days = days_of(member("alice").id)
    today = NOON.date()
    assert today not in days
    assert all(today - timedelta(days=ago) in days for ago in range(1, 7))
    assert today - timedelta(days=7) not in days


def test_bob_joined_today_and_has_done_nothing_yet(demo):
    bob = member("bob")
    assert clock.local_date(bob.created_at, clock.programme_zone()) == NOON.date()
    assert int(standing(bob.id, now=NOON).available) == 20
    assert days_of(bob.id) == {}


def test_every_transfer_says_why(demo):
    for why in db.session.scalars(sa.select(Transfer.explanation)):
        assert all(explain(why))


def test_products_are_complete_and_of_every_sort(demo):
    products = db.session.scalars(sa.select(Product)).all()
    assert len(products) == len(content.products()) >= 60
    for product in products:
        assert set(product.name) == set(product.description) == {"en", "zh_Hans", "zh_Hant"}
        assert product.pictures
    assert {product.kind for product in products} == {"physical", "code", "service", "course", "coupon"}
    assert {product.status for product in products} == {"draft", "listed", "archived"}
    sold_out = sa.select(Variant.id).join(Product).where(Product.status == "listed", Variant.stock == 0)
    assert db.session.scalars(sold_out).all()
    assert count(Picture) > len(products)


def test_the_accounts_can_sign_in(demo):
    for name in ("alice", "bob"):
        answer = demo.test_client().post(
            "/session", data={"contact": f"{name}@example.com", "password": story.PASSWORD}
        )
        assert answer.status_code == 303
    for role in ROLES:
        answer = demo.test_client().post(
            "/backoffice/session", data={"email": f"{role}@example.com", "password": story.PASSWORD}
        )
        assert answer.status_code == 303


def test_the_merchant_keeps_two_units(demo):
    merchant = db.session.scalars(sa.select(Staff).where(Staff.role == "merchant")).one()
    assert len(merchant.units) == 2


def test_a_second_load_is_refused_and_changes_nothing(demo):
    before = count(Member), count(Transfer)
    result = demo.test_cli_runner().invoke(args=["demo", "load"])
    assert (result.exit_code, count(Member), count(Transfer)) == (2, *before)
    assert "There are members already" in result.output


def test_production_refuses_the_demo(demo, monkeypatch):
    settings = replace(
        demo.config["SETTINGS"],
        environment="production",
        secret_key="x" * 40,
        public_url="https://shop.example",
        payment_gateway="none",
        mail_url="smtp://mail.example",
        cheap_passwords=False,
    )
    before = count(Member), count(Staff), count(Transfer)
    monkeypatch.setitem(demo.config, "SETTINGS", settings)
    result = demo.test_cli_runner().invoke(args=["demo", "load"])
    assert result.exit_code == 2
    assert "production" in result.output
    assert (count(Member), count(Staff), count(Transfer)) == before


def test_alice_has_brought_friends_who_are_at_different_points_of_the_way(demo):
    states = set(db.session.scalars(sa.select(Referral.state).where(Referral.inviter_id == member("alice").id)))
    assert {"joined", "rewarded", "refused"} <= states


def test_alice_has_a_gift_waiting_and_others_claimed_and_handed_out(demo):
    alice = member("alice")
    mine = my_benefits(alice, now=NOON)
    assert [gift.title for gift in mine.gifts] == ["Birthday gift"]
    assert any(claim.amount for claim in mine.claims)
    states = [voucher.open for claim in mine.claims for voucher in claim.vouchers]
    assert sorted(states) == [False, True]


def test_courses_are_half_read_finished_and_still_to_be_had(demo):
    courses = {each.course.code: each for each in standings(member("alice").id)}
    assert (courses["brewing-tea"].read, courses["brewing-tea"].lessons) == (2, 4)
    assert courses["first-loaf"].completed
    assert not courses["barista-basics"].may_read
    for sheet in content.courses():
        for texts in (
            sheet["title"],
            sheet["summary"],
            sheet["description"],
            *(each["body"] for each in sheet["lessons"]),
        ):
            assert set(texts) == {"en", "zh_Hans", "zh_Hant"}


def test_services_are_given_at_times(demo):
    """Every service on offer has free places ahead; Alice has a booking to come, and had one."""
    assert slots.mismatches() == []
    alice = member("alice")
    [ahead] = slots.bookings_of(alice.id, past=False, after=None, limit=9, now=NOON).items
    past = slots.bookings_of(alice.id, past=True, after=None, limit=9, now=NOON).items
    assert (ahead.state, ahead.starts_at > NOON + timedelta(hours=24)) == ("booked", True)
    assert {each.state for each in past} == {"attended", "cancelled"}
    assert set(db.session.scalars(sa.select(Order.state).where(Order.number == ahead.order_number))) == {"paid"}
    empty = sa.select(Variant.sku).join(Product, Product.id == Variant.product_id)
    empty = empty.where(Product.kind == "service", Product.status == "listed", Variant.stock == 0)
    assert db.session.scalars(empty).all() == []
