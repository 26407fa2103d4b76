"""The friend has shopped: both are paid, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.referrals.actions import settle as settle_some
from app.engagement.referrals.models import Referral
from app.engagement.referrals.terms import ReferralTerms
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.loyalty.ledger.actions import KeyReused
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.verify import verify
from app.loyalty.tiers.queries import tiers_of
from tests.conftest import NOON
from tests.engagement.referrals.circle import (
    DAY,
    LATER,
    earned,
    join_by,
    referral_of,
    revisit,
    settle,
    spend,
    standing,
    terms,
)


def test_a_friend_spends_a_hundred_and_both_are_paid_once(alice, bob, unit):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    assert [settle(), settle(), settle(LATER + DAY)] == [1, 0, 0]
    assert (earned(alice), earned(carol), earned(bob)) == (100, 50, 0)
    assert standing(carol) == ("rewarded", None)
    assert verify().findings == []


def test_a_fen_less_is_not_enough(alice, unit):
    carol = join_by(alice)
    spend(carol, 9_999, unit=unit)
    assert settle() == 0
    assert (earned(alice), earned(carol)) == (0, 0)
    assert standing(carol) == ("joined", None)


def test_several_purchases_in_several_shops_add_up(alice, unit):
    carol = join_by(alice)
    for day in range(3):
        spend(carol, 4_000, unit=unit, at=NOON + day * DAY)
    assert settle(NOON + 8 * DAY) == 0
    assert settle(NOON + 9 * DAY) == 1


def test_nothing_is_paid_before_the_purchase_could_come_back(alice, unit):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    assert settle(NOON + 7 * DAY - timedelta(seconds=1)) == 0
    assert earned(alice) == 0
    assert settle(NOON + 7 * DAY) == 1


def test_the_owner_may_pay_at_once(alice, unit):
    terms(wait_days=0)
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    assert settle(NOON) == 1


@pytest.mark.parametrize(("when", "paid"), [(timedelta(days=30) - timedelta(seconds=1), 1), (timedelta(days=30), 0)])
def test_the_thirtieth_day_is_the_last(alice, unit, when, paid):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit, at=NOON + when)
    assert settle(NOON + 60 * DAY) == paid
    assert earned(alice) == 100 * paid


def test_what_a_friend_bought_before_joining_does_not_count(alice, unit):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit, at=NOON - DAY)
    assert settle() == 0


def test_who_does_not_shop_in_time_drops_out(alice, unit):
    carol = join_by(alice)
    settle(NOON + 30 * DAY - timedelta(seconds=1))
    assert standing(carol) == ("joined", None)
    settle(NOON + 30 * DAY)
    assert standing(carol) == ("lapsed", None)
    spend(carol, 10_000, unit=unit, at=NOON + 31 * DAY)
    settle(NOON + 60 * DAY)
    assert revisit(NOON + 60 * DAY) == 0
    assert earned(alice) == 0


def test_a_purchase_that_waits_keeps_a_friend_from_dropping_out(alice, unit):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit, at=NOON + 29 * DAY)
    settle(NOON + 31 * DAY)
    assert standing(carol) == ("joined", None)
    assert settle(NOON + 36 * DAY) == 1


def test_a_till_that_reports_late_loses_nobody_a_reward(alice, unit):
    carol = join_by(alice)
    settle(NOON + 40 * DAY)
    assert standing(carol) == ("lapsed", None)
    spend(carol, 10_000, unit=unit, at=NOON + 3 * DAY, told=NOON + 90 * DAY)
    assert settle(NOON + 91 * DAY) == 0
    assert [revisit(NOON + 91 * DAY), revisit(NOON + 92 * DAY)] == [1, 0]
    assert (earned(alice), earned(carol)) == (100, 50)


def test_what_was_sent_back_does_not_count(alice, unit):
    from app.loyalty.purchases.models import Purchase, PurchaseReturn

    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    with transaction() as session:
        purchase = session.scalars(sa.select(Purchase.id)).one()
        fields = {"member_id": carol.id, "purchase_id": purchase, "returned_at": NOON + DAY}
        session.add(PurchaseReturn(**fields, return_no="R1", position=1, amount=1, points=0))
    assert settle() == 0
    spend(carol, 1, unit=unit)
    assert settle() == 1


def test_an_order_of_the_mall_counts_when_it_is_completed(alice, app):
    from app.engagement.referrals.queries import spent_by_friends
    from app.mall.orders.models import Order
    from tests.mall.orders.shop import attempt, make_goods, order_some, report

    carol = join_by(alice)
    kettle = make_goods("Kettle", points=10, cash=12_000)
    order = order_some(carol.id, kettle)
    report(order, attempt(order))
    settle(NOON + 20 * DAY)
    assert standing(carol) == ("joined", None)
    assert spent_by_friends([referral_of(carol)], now=NOON + 20 * DAY)[referral_of(carol).id].waiting == 12_000
    with transaction() as session:
        session.execute(sa.update(Order).values(state="completed"))
    assert settle(NOON + 20 * DAY) == 1


# --- the month's cap ----------------------------------------------------------------------


def test_over_the_months_cap_the_inviter_is_refused_and_the_friend_keeps_what_was_promised(alice, unit):
    terms(monthly_cap=2)
    friends = [join_by(alice) for _ in range(3)]
    for friend in friends:
        spend(friend, 10_000, unit=unit)
    assert settle() == 2
    assert [standing(friend) for friend in friends] == [("rewarded", None), ("rewarded", None), ("refused", "cap")]
    assert earned(alice) == 200
    assert [earned(friend) for friend in friends] == [50, 50, 50]
    assert settle(LATER + 30 * DAY) == 0
    assert earned(alice) == 200


def test_the_next_month_counts_anew(alice, unit):
    terms(monthly_cap=1)
    first, second = join_by(alice), join_by(alice)
    spend(first, 10_000, unit=unit)
    assert settle() == 1
    spend(second, 10_000, unit=unit, at=NOON + 10 * DAY)
    assert settle(NOON + 20 * DAY) == 1
    assert earned(alice) == 200


def test_the_month_ends_at_midnight_in_the_programmes_timezone(alice, unit):
    terms(monthly_cap=1, wait_days=0)
    first, second = join_by(alice), join_by(alice)
    spend(first, 10_000, unit=unit)
    end_of_june = NOON.replace(day=30, hour=15, minute=59)  # 23:59 in Shanghai.
    assert settle(end_of_june) == 1
    spend(second, 10_000, unit=unit)
    assert settle(end_of_june + timedelta(minutes=1)) == 1
    assert str(referral_of(first).month) == "2026-06-01"
    assert str(referral_of(second).month) == "2026-07-01"


def test_one_inviters_cap_is_nobody_elses(alice, bob, unit):
    terms(monthly_cap=1)
    for inviter in (alice, bob):
        spend(join_by(inviter), 10_000, unit=unit)
    assert settle() == 2
    assert (earned(alice), earned(bob)) == (100, 100)


# --- and what it means ----------------------------------------------------------------------


def test_a_frozen_wallet_receives_and_does_not_spend(alice, unit):
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    with transaction() as session:
        session.execute(
            sa.text("UPDATE wallet SET frozen_at = :now WHERE member_id = :id"), {"now": NOON, "id": alice.id}
        )
    assert settle() == 1
    assert earned(alice) == 100


def test_the_points_count_for_the_tier_at_once(alice, unit):
    terms(inviter_points=500)
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    before = tiers_of([alice.id])[alice.id].rank
    settle()
    assert tiers_of([alice.id])[alice.id].rank > before


def test_the_history_says_why_and_names_nobody(app, alice, unit):
    carol = join_by(alice, "Carol Ng")
    spend(carol, 10_000, unit=unit)
    settle()
    with app.test_request_context():
        told = {
            row.key: " ".join(explain(row.explanation))
            for row in db.session.scalars(sa.select(Transfer).where(Transfer.kind == "referral"))
        }
    inviters = told[f"referral:{carol.id}:inviter"]
    assert "¥100 within 30 days" in inviters
    assert "number 1 of the month" in inviters
    assert "Carol" not in inviters
    assert "invitation" in told[f"referral:{carol.id}:friend"]


def test_a_reward_of_nothing_is_no_transfer(alice, unit):
    terms(inviter_points=0, friend_points=0)
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    assert settle() == 1
    assert (earned(alice), earned(carol)) == (0, 0)
    assert standing(carol) == ("rewarded", None)


def test_the_key_refuses_what_the_state_forgot(alice, unit):
    """Even a referral that lost its state is not paid other figures under the same fact."""
    carol = join_by(alice)
    spend(carol, 10_000, unit=unit)
    settle()
    with transaction() as session:
        session.execute(sa.update(Referral).values(state="joined", place=None, month=None, settled_at=None))
    settle()
    assert (earned(alice), earned(carol)) == (100, 50)
    with transaction() as session:
        session.execute(sa.update(Referral).values(state="joined", place=None, month=None, inviter_points=1_000))
    with pytest.raises(KeyReused), transaction():
        settle_some(referral_ids=[referral_of(carol).id], now=LATER)
    assert earned(alice) == 100


def test_a_batch_costs_as_many_queries_as_one_friend(app, alice, unit):
    def queries(friends: int) -> int:
        for _ in range(friends):
            spend(join_by(alice), 10_000, unit=unit)
        count = 0

        def counted(*_args: object) -> None:
            nonlocal count
            count += 1

        sa.event.listen(db.engine, "before_cursor_execute", counted)
        try:
            assert settle() == friends
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", counted)
        return count

    terms(monthly_cap=100)
    assert queries(8) <= queries(1) + 4


def test_terms_that_make_no_sense_are_refused(app):
    wrong = {
        "friend_points": 10**9,
        "least_spend": 0,
        "within_days": 0,
        "wait_days": -1,
        "monthly_cap": 0,
        "link_days": 400,
    }
    with app.test_request_context():
        for name, value in {"inviter_points": -1, **wrong}.items():
            with pytest.raises(InvalidInput):
                ReferralTerms(**{name: value})
