from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.errors import InvalidInput
from app.loyalty.earning.rules import Spend, largest_remainder, purchase_growth, purchase_points
from app.loyalty.earning.terms import EarningTerms


def rule_of(**terms):
    return EarningTerms(**terms).purchase(1)


ONE_PER_YUAN = rule_of()

amounts = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=12)
rates = st.fractions(min_value=0, max_value=20, max_denominator=1000)


def worth(*amounts, rule=ONE_PER_YUAN, unit="mall", minor_units=100):
    return purchase_points([Spend(amount) for amount in amounts], rule, unit=unit, minor_units=minor_units)


def test_a_yuan_is_a_point_and_the_rest_is_dropped():
    assert worth(238_50).points == 238


def test_333_33_in_three_lines_is_rounded_once_and_not_per_line():
    award = worth(111_11, 111_11, 111_11)
    assert award.points == 333
    assert sorted(award.shares) == [111, 111, 111]


def test_lines_whose_own_points_would_round_to_less_share_what_the_sum_earns():
    award = worth(50, 50, 99)  # ¥0.50 + ¥0.50 + ¥0.99 = ¥1.99
    assert award.points == 1
    assert award.shares == (0, 0, 1)  # to the largest remainder


def test_of_equal_remainders_the_earlier_line_comes_first():
    assert worth(50, 50).shares == (1, 0)


@pytest.mark.parametrize("amount", [0, 1, 99])
def test_less_than_a_yuan_earns_nothing(amount):
    assert worth(amount).points == 0


def test_a_currency_without_minor_units_counts_in_whole_ones():
    assert worth(238, minor_units=1).points == 238


def grown(*amounts, rate="1", minor_units=100):
    rule = rule_of(rate="0", growth_rate=rate)
    return purchase_growth([Spend(amount) for amount in amounts], rule, minor_units=minor_units)


@pytest.mark.parametrize(
    ("amounts", "rate", "growth"),
    [((238_50,), "1", 238), ((50, 50, 99), "1", 1), ((99,), "1", 0), ((3_00,), "1.5", 4), ((3_00,), "0", 0)],
)
def test_growth_is_rounded_down_once_for_the_purchase(amounts, rate, growth):
    assert grown(*amounts, rate=rate).growth == growth


def test_growth_counts_in_whole_yen():
    assert grown(238, minor_units=1).growth == 238


def test_a_rule_that_says_nothing_of_growth_gives_one_per_yuan():
    assert ONE_PER_YUAN.growth == 1


@pytest.mark.parametrize("rate", ["-1", "a lot", ""])
def test_a_growth_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(InvalidInput):
        rule_of(rate="1", growth_rate=rate)


def test_the_most_exact_rate_counts():
    rule = rule_of(
        rates=[
            {"unit": "cinema", "rate": "2"},
            {"category": "food", "rate": "0.5"},
            {"unit": "cinema", "category": "food", "rate": "3"},
            {"sku": "POPCORN", "rate": "10"},
        ]
    )
    assert rule.rate_for(unit="mall", category="books", sku="") == 1
    assert rule.rate_for(unit="cinema", category="tickets", sku="") == 2
    assert rule.rate_for(unit="mall", category="food", sku="") == Fraction(1, 2)
    assert rule.rate_for(unit="cinema", category="food", sku="") == 3
    assert rule.rate_for(unit="cinema", category="food", sku="POPCORN") == 10


def test_lines_at_several_rates_are_still_rounded_together():
    rule = rule_of(rates=[{"category": "tea", "rate": "1.5"}])
    award = purchase_points([Spend(1_99, "tea"), Spend(1_02, "rice")], rule, unit="mall", minor_units=100)
    assert award.exact == Fraction("4.005")  # 2.985 + 1.02
    assert award.points == 4
    assert [(part.amount, part.rate) for part in award.portions] == [(1_99, Fraction(3, 2)), (1_02, 1)]


@pytest.mark.parametrize("rate", ["-1", "one", "1/0", None])
def test_a_rate_that_makes_no_sense_is_refused(rate):
    with pytest.raises(InvalidInput):
        rule_of(rate=rate)


@given(amounts, rates)
def test_the_award_is_the_floor_of_the_exact_sum(amounts, rate):
    award = worth(*amounts, rule=rule_of(rate=str(rate)))
    exact = Fraction(sum(amounts), 100) * rate
    assert award.points <= exact < award.points + 1
    assert award.exact == exact


@given(amounts, rates)
def test_the_shares_of_the_lines_sum_to_the_award_exactly(amounts, rate):
    award = worth(*amounts, rule=rule_of(rate=str(rate)))
    assert sum(award.shares) == award.points
    assert all(share >= 0 for share in award.shares)


@given(st.lists(st.fractions(min_value=0, max_value=10**6), min_size=1, max_size=20))
def test_no_share_is_one_or_more_away_from_its_exact_value(values):
    for share, value in zip(largest_remainder(values), values, strict=True):
        assert abs(share - value) < 1
