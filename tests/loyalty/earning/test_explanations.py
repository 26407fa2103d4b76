"""How the points of a purchase read to the member who asks why."""

from __future__ import annotations

from fractions import Fraction

import pytest

from app.loyalty.earning.explanations import number, why_growth, why_purchase, why_reward
from app.loyalty.earning.rules import Spend, purchase_growth, purchase_points
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.explanations import explain
from tests.conftest import NOON


@pytest.fixture
def read(app):
    def reading(terms, *spends):
        award = purchase_points(spends, EarningTerms(**terms).purchase(7), unit="mall", minor_units=100)
        return explain(why_purchase(award, version=7, order_no="A1", unit="mall", currency="CNY"))

    return reading


def test_a_whole_result_is_not_rounded(read):
    assert read({"rate": "1"}, Spend(200_00))[1:] == [
        "¥200.00 × 1 point per ¥1 = 200",
        "200 points, nothing to round",
    ]


def test_each_rate_has_its_step_and_the_sum_is_rounded_once(read):
    terms = {"rate": "1", "rates": [{"category": "tea", "rate": "1.5"}]}
    assert read(terms, Spend(1_99, "tea"), Spend(1_02, "rice"))[1:] == [
        "¥1.99 × 1.5 points per ¥1 = 2.985",
        "¥1.02 × 1 point per ¥1 = 1.02",
        "4.005, rounded down to 4",
    ]


@pytest.mark.parametrize(
    ("rate", "sentences"),
    [
        ("1", ["¥238.50 × 1 growth value per ¥1 = 238.5", "238.5, rounded down to 238"]),
        ("2", ["¥238.50 × 2 growth value per ¥1 = 477", "477 growth value, nothing to round"]),
    ],
)
def test_growth_says_how_it_was_counted(app, rate, sentences):
    rule = EarningTerms(growth_rate=rate).purchase(7)
    award = purchase_growth([Spend(238_50)], rule, minor_units=100)
    headline, *steps = explain(why_growth(award, version=7, order_no="A1", unit="mall", currency="CNY"))
    assert headline == "Purchase A1, valued by version 7 of the rule for purchases."
    assert steps == sentences


def test_a_number_without_an_end_is_cut_and_says_so(app):
    assert number(Fraction(2, 3)) == "about 0.6666"
    assert number(Fraction(5000)) == "5,000"


def test_the_welcome_gift_says_what_it_is(app):
    assert explain(why_reward("joining", 20, version=1, full=20, cuts=(), about="", expiry=None, since=NOON)) == [
        "Welcome: everybody who joins starts with 20 points."
    ]
