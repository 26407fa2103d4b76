"""Tiers, campaigns, bonuses, caps and budgets: what a purchase is worth besides its rate. No database, no clock."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.errors import InvalidInput
from app.loyalty.earning.rules import Circumstances, Factor, Spend, capped, period_of_day, purchase_points
from app.loyalty.earning.terms import EarningTerms

GOLD = Factor("tier", {"en": "Gold"}, Fraction(2))
MEMBER_DAY = {"code": "member-day", "name": {"en": "Member day"}, "times": "2", "days": [8]}
EIGHTH = datetime.fromisoformat("2026-06-08T12:00")  # A local time, as the rules see it.


def worth(*spends, at=EIGHTH, tier=None, used=None, left=None, counts=None, unit="mall", **terms):
    lines = [Spend(each) if isinstance(each, int) else Spend(*each) for each in spends]
    circumstances = Circumstances(local=at, tier=tier, used=used or {}, left=left or {}, counts=counts or {})
    return purchase_points(lines, EarningTerms(**terms).purchase(1), unit=unit, minor_units=100, at=circumstances)


def test_gold_on_member_day_earns_four_times():
    award = worth(238_50, tier=GOLD, campaigns=[MEMBER_DAY])
    assert award.points == 954
    assert [(each.name["en"], each.by) for each in award.portions[0].factors] == [("Gold", 2), ("Member day", 2)]


@pytest.mark.parametrize(
    ("moment", "points"),
    [
        ("2026-06-07T23:59:59.999999", 100),
        ("2026-06-08T00:00", 200),
        ("2026-06-08T23:59:59", 200),
        ("2026-06-09T00:00", 100),
    ],
)
def test_member_day_begins_and_ends_at_midnight(moment, points):
    assert worth(100_00, at=datetime.fromisoformat(moment), campaigns=[MEMBER_DAY]).points == points


def test_a_window_begins_with_its_first_moment_and_ends_before_its_last():
    window = MEMBER_DAY | {"days": [], "starts": "2026-06-08T10:00", "ends": "2026-06-08T12:00"}
    seen = [worth(100_00, at=EIGHTH.replace(hour=hour), campaigns=[window]).points for hour in (9, 10, 11, 12)]
    assert seen == [100, 200, 200, 100]


def test_a_campaign_for_a_category_multiplies_only_its_lines():
    tea = MEMBER_DAY | {"category": "tea", "times": "3"}
    award = worth((100_00, "tea"), (100_00, "rice"), campaigns=[tea])
    assert (award.points, award.shares) == (400, (300, 100))


def test_of_several_campaigns_the_best_one_counts_and_they_are_not_multiplied():
    tea = MEMBER_DAY | {"code": "tea", "category": "tea", "times": "3"}
    assert worth((100_00, "tea"), campaigns=[MEMBER_DAY, tea]).points == 300


def test_what_counts_as_best_is_what_a_campaign_really_adds():
    spent = MEMBER_DAY | {"code": "spent", "category": "tea", "times": "3", "budget": 500}
    award = worth((100_00, "tea"), left={"campaign:spent": 1}, campaigns=[MEMBER_DAY, spent])
    assert (award.points, award.spent) == (200, {})


def test_the_days_of_a_month_that_is_too_short_just_do_not_come():
    last = MEMBER_DAY | {"days": [31]}
    assert worth(100_00, at=EIGHTH.replace(day=30), campaigns=[last]).points == 100


# --- bonuses --------------------------------------------------------------------------------

THIRD = {"code": "third", "name": {"en": "Third time"}, "nth": 3, "period": "month", "points": 50, "at_least": 10_00}


@pytest.mark.parametrize(("count", "points"), [(2, 100), (3, 150), (4, 100)])
def test_the_third_purchase_of_a_month_brings_more(count, points):
    assert worth(100_00, counts={"third": count}, bonuses=[THIRD]).points == points


def test_a_purchase_that_is_too_small_brings_no_bonus():
    assert worth(9_99, counts={"third": 3}, bonuses=[THIRD]).points == 9


def test_nothing_paid_brings_no_bonus_either():
    assert worth(0, counts={"third": 3}, bonuses=[THIRD | {"at_least": 0}]).points == 0


# --- caps and budgets -----------------------------------------------------------------------


def test_a_cap_says_what_it_cut_off():
    award = worth(300_00, used={"day": 380}, caps={"purchase": 250, "day": 500})
    assert award.points == 120
    assert [(each.cap, each.most, each.left, each.cut) for each in award.cuts] == [
        ("purchase", 250, 250, 50),
        ("day", 500, 120, 130),
    ]


def test_who_had_more_than_a_new_cap_allows_gets_nothing_and_loses_nothing():
    assert worth(100_00, used={"month": 900}, caps={"month": 500}).points == 0


def test_a_rule_stops_at_its_budget():
    award = worth(100_00, left={"purchase": 30}, caps={"budget": 1000})
    assert (award.points, award.spent) == (30, {"purchase": 30})


def test_a_campaign_stops_at_its_budget_and_the_rest_is_earned_as_ever():
    campaign = MEMBER_DAY | {"budget": 1_000}
    award = worth(100_00, left={"campaign:member-day": 40}, campaigns=[campaign])
    assert (award.points, award.spent) == (140, {"campaign:member-day": 40})
    assert award.cuts[0].cut == 60
    empty = worth(100_00, left={"campaign:member-day": 0}, campaigns=[campaign])
    assert (empty.points, empty.portions[0].factors) == (100, ())


def test_a_bonus_gives_what_is_left_of_its_budget():
    award = worth(100_00, counts={"third": 3}, left={"bonus:third": 20}, bonuses=[THIRD | {"budget": 500}])
    assert (award.points, award.spent) == (120, {"bonus:third": 20})


def test_what_a_cap_takes_away_is_on_nobodys_budget():
    campaign, bonus = MEMBER_DAY | {"budget": 1_000}, THIRD | {"budget": 1_000}
    left = {"campaign:member-day": 1_000, "bonus:third": 1_000}
    award = worth(100_00, left=left, counts={"third": 3}, caps={"day": 120}, campaigns=[campaign], bonuses=[bonus])
    assert (award.points, award.spent) == (120, {"campaign:member-day": 20, "bonus:third": 0})


def test_who_still_has_the_bonus_of_the_period_gets_no_second_one():
    at = Circumstances(local=EIGHTH, counts={"third": 3}, held=frozenset({"third"}))
    rule = EarningTerms(bonuses=[THIRD]).purchase(1)
    assert purchase_points([Spend(100_00)], rule, unit="mall", minor_units=100, at=at).points == 100


def test_whoever_is_capped_shares_what_is_left_over_the_lines():
    award = worth(111_11, 111_11, 111_11, caps={"purchase": 100})
    assert (award.points, sorted(award.shares)) == (100, [33, 33, 34])


# --- for every purchase -----------------------------------------------------------------------

amounts = st.lists(st.tuples(st.integers(0, 10**8), st.sampled_from(["", "tea", "rice"])), min_size=1, max_size=8)
few = st.integers(min_value=0, max_value=3_000)


@given(amounts, st.fractions(1, 10, max_denominator=10), st.tuples(few, few, few, few), st.integers(1, 4))
def test_points_are_never_negative_and_shares_sum_to_them(lines, times, before, count):
    used, money_left, extra_left, bonus_left = before
    award = worth(
        *lines,
        tier=Factor("tier", {"en": "Gold"}, times),
        used={"day": used},
        left={"purchase": money_left, "campaign:member-day": extra_left, "bonus:third": bonus_left},
        counts={"third": count},
        caps={"purchase": 5_000, "day": 9_000, "budget": 10_000},
        campaigns=[MEMBER_DAY | {"budget": 2_000}],
        bonuses=[THIRD | {"budget": 2_000}],
        rates=[{"category": "tea", "rate": "3/2"}],
    )
    assert sum(award.shares) == award.points
    assert all(share >= 0 for share in award.shares)
    assert 0 <= award.points <= min(5_000, max(9_000 - used, 0), money_left)
    assert award.spent["purchase"] == award.points
    assert award.spent.get("campaign:member-day", 0) <= extra_left
    assert award.spent.get("bonus:third", 0) <= bonus_left


@given(amounts, st.fractions(1, 10, max_denominator=10))
def test_without_caps_it_is_the_floor_of_the_product(lines, times):
    award = worth(*lines, tier=Factor("tier", {"en": "Gold"}, times), campaigns=[MEMBER_DAY])
    exact = sum(Fraction(amount, 100) * times * 2 for amount, _category in lines)
    assert award.points == exact.numerator // exact.denominator


@given(st.integers(0, 10**6), st.lists(few, min_size=3, max_size=3), few)
def test_what_caps_leave_and_what_they_cut_off_is_what_there_was(points, used, left):
    caps = EarningTerms(caps={"purchase": 500, "day": 800, "month": 2_000, "total": 2_500}).purchase(1).caps
    before = dict(zip(("day", "month", "total"), used, strict=True))
    kept, cuts = capped(points, caps, 5_000, used=before, left=left)
    assert kept + sum(cut.cut for cut in cuts) == points


@pytest.mark.parametrize(
    ("period", "day", "begin", "end"),
    [
        ("day", "2026-12-31", "2026-12-31", "2027-01-01"),
        ("month", "2026-12-31", "2026-12-01", "2027-01-01"),
        ("year", "2024-02-29", "2024-01-01", "2025-01-01"),
    ],
)
def test_periods_are_those_of_the_calendar(period, day, begin, end):
    bounds = period_of_day(period, datetime.fromisoformat(day).date())
    assert [each.isoformat() for each in bounds] == [begin, end]


# --- nonsense -----------------------------------------------------------------------------------

GOAL = {"code": "m", "name": {"en": "M"}, "earn": 100, "period": "month", "points": 5}
OTHER = MEMBER_DAY | {"code": "other", "name": {"en": "Other"}}


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"rate": "-1"}, "must not be negative"),
        ({"rate": "much"}, "not a number"),
        ({"rate": "999999999"}, "at most"),
        ({"rate": "1e999999999"}, "not a number"),
        ({"rate": "1/0"}, "not a number"),
        ({"rates": [{"rate": "2"}]}, "needs a unit, a category or an article"),
        ({"rates": [{"unit": "spa", "rate": "2"}, {"unit": "spa", "rate": "3"}]}, "two rates for spa"),
        ({"campaigns": [MEMBER_DAY, OTHER]}, "“Member day” and “Other” multiply the same purchases"),
        ({"campaigns": [MEMBER_DAY, MEMBER_DAY | {"days": [9]}]}, "used twice"),
        ({"campaigns": [MEMBER_DAY | {"times": "1"}]}, "more than 1"),
        ({"campaigns": [MEMBER_DAY | {"days": [32]}]}, "no such days"),
        ({"campaigns": [MEMBER_DAY | {"starts": "2026-02-30T00:00"}]}, "no date and time"),
        ({"campaigns": [MEMBER_DAY | {"starts": "2026-06-02", "ends": "2026-06-01"}]}, "ends before it begins"),
        ({"campaigns": [MEMBER_DAY | {"name": {}}]}, "needs a name"),
        ({"campaigns": [MEMBER_DAY | {"budget": 0}]}, "whole number from 1"),
        ({"bonuses": [THIRD, THIRD | {"code": "again"}]}, "purchase number 3"),
        ({"bonuses": [THIRD | {"nth": 0}]}, "number of the purchase"),
        ({"bonuses": [THIRD | {"period": "week"}]}, "in a month, in a year, or ever"),
        ({"caps": {"purchase": 500, "day": 300}}, "500 could never be reached"),
        ({"caps": {"day": -1}}, "whole number"),
        ({"rewards": {"dancing": {"points": 5}}}, "nothing that points can be given for"),
        ({"rewards": {"quiz": {"points": -5}}}, "The points of “Answering a quiz”"),
        ({"milestones": [{"code": "m", "name": {"en": "M"}, "earn": 100, "period": "month"}]}, "gives nothing"),
        ({"milestones": [GOAL, GOAL | {"code": "n"}]}, "Two milestones ask for 100 points"),
        ({"milestones": [GOAL | {"benefit": "x" * 31}]}, "no such benefit"),
        ({"campaigns": [MEMBER_DAY | {"starts": "2026-06-02T00:00+08:00"}]}, "without a timezone"),
        ({"rewards": {"quiz": {"points": 30, "day": 10}}}, "its cap is 10"),
    ],
)
@pytest.mark.usefixtures("words")
def test_rules_that_make_no_sense_are_refused_with_the_reason(terms, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        EarningTerms(**terms)


@pytest.mark.parametrize(
    "other",
    [{"days": [9]}, {"days": [], "weekdays": [], "starts": "2027-01-01", "ends": "2027-02-01"}, {"unit": "spa"}],
)
def test_campaigns_that_never_meet_or_are_for_something_else_may_stand_side_by_side(other):
    first = MEMBER_DAY | {"ends": "2026-12-31"}
    assert len(EarningTerms(campaigns=[first, OTHER | other]).purchase(1).campaigns) == 2
