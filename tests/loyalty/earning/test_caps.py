"""Caps, budgets, bonuses and milestones on the books: what came before is looked up, late reports included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.foundation.terms import change
from app.loyalty.benefits.models import BenefitGrant
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.earning.actions import record_purchases, reward
from app.loyalty.earning.models import Budget, MilestoneReached, Rewarded
from app.loyalty.earning.queries import would_earn
from app.loyalty.earning.returns import return_purchase
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.queries import history, standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases.actions import ReportedLine
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import buy, make_member, purchase_report

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)
THIRD = {"code": "third", "name": {"en": "Third time"}, "nth": 3, "period": "month", "points": 50}


def rules(*, at=NOON - 60 * DAY, **terms):
    with transaction():
        change(EarningTerms, terms, by=SYSTEM, now=at)


def do(**what):
    with transaction():
        return reward(**({"kind": "sharing", "now": NOON} | what))


@pytest.fixture
def lin(app):
    return make_member(name="Lin")


@pytest.fixture
def mall(app):
    return make_unit()


def available(member_id):
    return int(standing(member_id, now=NOON).available)


# --- purchases --------------------------------------------------------------------------------


def test_a_day_has_room_for_so_many_points_and_says_why_not_more(lin, mall):
    rules(caps={"day": 150})
    assert [buy(lin, 100_00, unit=mall, order_no=number) for number in "ABC"] == [100, 50, 0]
    assert buy(lin, 100_00, unit=mall, order_no="D", at=NOON + DAY) == 100
    told = next(each for each in history(lin) if each.key == "purchase:mall:B:earn")
    assert "At most 150 points a day, of which 50 were left: 50 less." in explain(told.explanation)
    assert verify().clean


def test_a_late_report_counts_for_the_day_on_which_it_was_bought(lin, mall):
    rules(caps={"day": 150})
    buy(lin, 100_00, unit=mall, order_no="today")
    with transaction():
        late = purchase_report(lin, 100_00, unit=mall, order_no="late", occurred_at=NOON - 3 * DAY)
        [recorded] = record_purchases([late], now=NOON)
    assert recorded.points == Points(100)


def test_days_are_those_of_the_programme_and_not_of_the_server(lin, mall):
    """23:59:59 and 00:00:00 in Shanghai are the same day in London."""
    rules(caps={"day": 100})
    midnight = datetime(2026, 6, 1, tzinfo=SHANGHAI).astimezone(UTC)
    assert buy(lin, 100_00, unit=mall, order_no="before", at=midnight - timedelta(seconds=1)) == 100
    assert buy(lin, 100_00, unit=mall, order_no="after", at=midnight) == 100


def test_member_day_is_that_of_the_programme_as_well(lin, mall):
    rules(campaigns=[{"code": "day", "name": {"en": "Member day"}, "times": "2", "days": [8]}])
    eighth = datetime(2026, 6, 8, tzinfo=SHANGHAI).astimezone(UTC)
    second = timedelta(seconds=1)
    moments = (eighth - second, eighth, eighth + DAY - second, eighth + DAY)
    assert [buy(lin, 10_00, unit=mall, order_no=str(n), at=at) for n, at in enumerate(moments)] == [10, 20, 20, 10]


def test_what_is_returned_makes_room_again(lin, mall):
    rules(caps={"day": 100})
    buy(lin, 100_00, unit=mall, order_no="A")
    with transaction():
        return_purchase(unit_code="mall", order_no="A", return_no="R1", now=NOON)
    assert buy(lin, 100_00, unit=mall, order_no="B") == 100
    assert available(lin) == 100


def test_returning_line_by_line_gives_back_exactly_what_a_capped_purchase_brought(lin, mall):
    rules(caps={"purchase": 100}, bonuses=[THIRD | {"nth": 1, "period": "ever"}])
    assert buy(lin, 111_11, 111_11, 111_11, unit=mall, order_no="A") == 100
    back = []
    for position in (1, 2, 3):
        with transaction():
            share = return_purchase(
                unit_code="mall", order_no="A", return_no=f"R{position}", amounts={position: 111_11}, now=NOON
            )
            back.append(share.value)
    assert (sum(back), available(lin)) == (100, 0)
    assert verify().clean


def test_the_third_purchase_of_a_month_brings_its_bonus_once(lin, mall):
    rules(bonuses=[THIRD])
    assert [buy(lin, 10_00, unit=mall, order_no=number) for number in "ABCD"] == [10, 10, 60, 10]
    july = NOON + 30 * DAY
    assert [buy(lin, 10_00, unit=mall, order_no=number, at=july) for number in "EFG"] == [10, 10, 60]


def test_in_one_batch_the_third_is_the_third_whatever_its_number(lin, mall):
    rules(bonuses=[THIRD])
    hours = {"Z": 0, "Y": 1, "A": 2}
    reports = [
        purchase_report(lin, 10_00, unit=mall, order_no=number, occurred_at=NOON + timedelta(hours=hour))
        for number, hour in hours.items()
    ]
    with transaction():
        recorded = record_purchases(reports, now=NOON + DAY)
    assert [each.points.value for each in recorded] == [10, 10, 60]


def test_a_bonus_is_given_back_with_the_purchase_and_can_be_earned_again(lin, mall):
    rules(bonuses=[THIRD | {"nth": 1, "period": "ever", "name": {"en": "First purchase"}}])
    assert buy(lin, 10_00, unit=mall, order_no="A") == 60
    with transaction():
        return_purchase(unit_code="mall", order_no="A", return_no="R1", now=NOON)
    assert available(lin) == 0
    assert [buy(lin, 10_00, unit=mall, order_no=number) for number in "BC"] == [60, 10]


def test_returning_the_first_of_three_does_not_bring_the_third_ones_bonus_again(lin, mall):
    rules(bonuses=[THIRD])
    assert [buy(lin, 10_00, unit=mall, order_no=number) for number in "ABC"] == [10, 10, 60]
    with transaction():
        return_purchase(unit_code="mall", order_no="A", return_no="R1", now=NOON)
    assert buy(lin, 10_00, unit=mall, order_no="D") == 10
    with transaction():  # With the purchase that had the bonus, the bonus goes, and can be earned again.
        return_purchase(unit_code="mall", order_no="C", return_no="R2", now=NOON)
    assert buy(lin, 10_00, unit=mall, order_no="E") == 60
    assert available(lin) == 10 + 10 + 60


def test_a_campaign_ends_where_its_budget_does(lin, mall):
    double = {"code": "double", "name": {"en": "Double"}, "times": "2", "budget": 150}
    rules(campaigns=[double])
    other = make_member(name="Chen")
    assert [buy(who, 100_00, unit=mall, order_no=str(who)) for who in (lin, other)] == [200, 150]
    assert buy(lin, 100_00, unit=mall, order_no="more") == 100
    assert db.session.scalar(sa.select(Budget.used)) == 150


def test_told_twice_it_takes_from_the_budget_once(lin, mall):
    rules(caps={"budget": 1_000})
    for _ in range(2):
        buy(lin, 100_00, unit=mall, order_no="A")
    assert db.session.scalar(sa.select(Budget.used)) == 100


def test_a_rule_changed_between_purchase_and_late_report_does_not_matter(lin, mall):
    rules(caps={"purchase": 10}, at=NOON - 60 * DAY)
    rules(rate="5", at=NOON - DAY)
    with transaction():
        late = purchase_report(lin, 100_00, unit=mall, order_no="late", occurred_at=NOON - 2 * DAY)
        now = purchase_report(lin, 100_00, unit=mall, order_no="now", occurred_at=NOON)
        recorded = record_purchases([late, now], now=NOON)
    assert [each.points.value for each in recorded] == [10, 500]


def test_the_checkout_tells_what_the_cap_will_leave(lin, mall):
    rules(caps={"day": 150})
    buy(lin, 100_00, unit=mall)
    line = ReportedLine("tea", "TEA", 1, 100_00)
    offer = {"unit_code": "mall", "currency": "CNY", "lines": [line], "at": NOON}
    assert (would_earn(**offer, member_id=lin), would_earn(**offer)) == (Points(50), Points(100))


# --- rewards ------------------------------------------------------------------------------------


def test_sharing_brings_30_once_a_day(lin):
    assert [do(member_id=lin, subject=subject).points.value for subject in ("tea", "tea", "rice")] == [30, 30, 0]
    assert do(member_id=lin, subject="tomorrow", now=NOON + DAY).points == Points(30)
    assert available(lin) == 60


def test_taking_part_in_a_draw_brings_50_won_or_not(lin):
    assert do(member_id=lin, kind="draw", subject="spring").points == Points(50)


def test_what_a_cap_left_nothing_for_is_written_down_and_asked_for_once(lin):
    do(member_id=lin, subject="tea")
    nothing = do(member_id=lin, subject="rice")
    assert (nothing.points, nothing.fresh, nothing.cuts[0].cap) == (Points(0), True, "day")
    assert not do(member_id=lin, subject="rice").fresh
    assert db.session.scalar(sa.select(sa.func.count(Rewarded.id))) == 2


def test_a_reward_stops_at_its_budget(lin):
    rules(rewards={"quiz": {"points": 30, "budget": 50}})
    assert [do(member_id=lin, kind="quiz", subject=each).points.value for each in "ABC"] == [30, 20, 0]


def test_what_the_rules_do_not_know_brings_nothing(lin):
    rules(rewards={})
    assert do(member_id=lin, kind="quiz", subject="A").points == Points(0)
    assert history(lin) == []


# --- milestones -----------------------------------------------------------------------------------

HUNDRED = {"code": "hundred", "name": {"en": "Hundred"}, "earn": 100, "period": "month", "points": 25}


def reached():
    which = sa.select(MilestoneReached.code, MilestoneReached.points).order_by(MilestoneReached.id)
    return db.session.execute(which).all()


def test_whoever_earns_so_many_points_in_a_month_is_given_more_once(lin, mall):
    rules(milestones=[HUNDRED])
    buy(lin, 99_00, unit=mall, order_no="A")
    assert available(lin) == 99
    buy(lin, 1_00, unit=mall, order_no="B")
    buy(lin, 500_00, unit=mall, order_no="C")
    assert (available(lin), reached()) == (99 + 1 + 25 + 500, [("hundred", 25)])
    assert verify().clean


def test_a_milestone_does_not_bring_the_next_one(lin, mall):
    rules(milestones=[HUNDRED, HUNDRED | {"code": "more", "earn": 120}])
    buy(lin, 100_00, unit=mall)
    assert reached() == [("hundred", 25)]


def test_rewards_count_towards_milestones_and_next_month_begins_anew(lin, mall):
    rules(milestones=[HUNDRED | {"earn": 30}])
    do(member_id=lin, subject="tea")
    do(member_id=lin, subject="rice", now=NOON + 30 * DAY)
    assert reached() == [("hundred", 25), ("hundred", 25)]


def test_a_milestone_stops_at_its_budget_and_is_reached_all_the_same(lin, mall):
    rules(milestones=[HUNDRED | {"budget": 30}])
    others = [make_member(name=name) for name in ("Chen", "Wang")]
    for place, who in enumerate([lin, *others]):
        buy(who, 100_00, unit=mall, order_no=f"P{place}")
    assert [available(who) for who in [lin, *others]] == [125, 105, 100]
    assert reached() == [("hundred", 25), ("hundred", 5), ("hundred", 0)]


def test_buy_return_and_keep_the_milestone_is_not_possible(lin, mall):
    rules(milestones=[HUNDRED])
    for number in "AB":
        buy(lin, 100_00, unit=mall, order_no=number)
        assert available(lin) == 125
        with transaction():
            return_purchase(unit_code="mall", order_no=number, return_no="R1", now=NOON)
        assert available(lin) == 0
    assert verify().clean


def test_who_still_has_enough_keeps_the_milestone(lin, mall):
    rules(milestones=[HUNDRED])
    for number in "AB":
        buy(lin, 100_00, unit=mall, order_no=number)
    with transaction():
        return_purchase(unit_code="mall", order_no="A", return_no="R1", now=NOON)
    assert (available(lin), reached()) == (125, [("hundred", 25)])


def test_what_is_reported_late_counts_for_the_milestone_of_its_own_month(lin, mall):
    rules(milestones=[HUNDRED])
    may = datetime(2026, 5, 31, 23, 50, tzinfo=SHANGHAI).astimezone(UTC)
    with transaction():
        late = purchase_report(lin, 100_00, unit=mall, order_no="late", occurred_at=may)
        record_purchases([late], now=may + timedelta(minutes=15))
    assert db.session.scalars(sa.select(MilestoneReached.period)).all() == [datetime(2026, 5, 1).date()]  # noqa: DTZ001


def test_a_milestone_can_bring_a_benefit_to_claim(lin, mall):
    gift = {"code": "treat", "kind": "monthly_gift", "name": {"en": "A treat"}, "gifts": [{"points": 5}]}
    with transaction():
        change(BenefitTerms, {"benefits": [gift]}, by=SYSTEM, now=NOON - DAY)
    rules(milestones=[HUNDRED | {"points": 0, "benefit": "treat"}], at=NOON - DAY)
    for number in "AB":
        buy(lin, 100_00, unit=mall, order_no=number)
    [grant] = db.session.scalars(sa.select(BenefitGrant))
    assert (grant.member_id, grant.code, grant.reason, grant.ended_at) == (lin, "treat", "Hundred", None)
    for number in "AB":
        with transaction():
            return_purchase(unit_code="mall", order_no=number, return_no="R1", now=NOON)
    db.session.refresh(grant)
    assert grant.ended_at == NOON
