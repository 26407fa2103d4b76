"""Who has what, and when a gift has its time: properties that hold whatever the programme."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.foundation.errors import InvalidInput
from app.loyalty.benefits.defaults import default_benefits
from app.loyalty.benefits.parsing import KINDS, benefits
from app.loyalty.benefits.rules import (
    Benefit,
    Birthdays,
    Given,
    Holder,
    Kind,
    best,
    birthday_around,
    claimable,
    held,
    observed,
)
from app.loyalty.benefits.terms import BenefitTerms
from tests.loyalty.benefits.having import entry

DAYS = st.dates(date(1900, 1, 1), date(2200, 12, 31))
WINDOWS = st.builds(Birthdays, before=st.integers(0, 120), after=st.integers(0, 120))
UNITS = st.frozensets(st.sampled_from(["mall", "cinema", "home"]), max_size=2)
VALUES = st.builds(
    Benefit,
    code=st.text("abc", min_size=1, max_size=3),
    kind=st.sampled_from([Kind.DISCOUNT, Kind.MULTIPLIER]),
    name=st.just({"en": "x"}),
    value=st.fractions(0, 100),
    tiers=st.frozensets(st.sampled_from(["silver", "gold"])),
    tags=st.frozensets(st.sampled_from(["vip", "tea"])),
    units=UNITS,
)


@given(st.lists(VALUES), st.sampled_from([None, "mall", "cinema"]))
def test_the_best_one_is_no_less_than_any_that_counts_there(programme, unit):
    found = best(programme, Kind.DISCOUNT, unit)
    rivals = [each for each in programme if each.kind is Kind.DISCOUNT and (not each.units or unit in each.units)]
    assert (found is None) == (not rivals)
    assert all(found.value >= each.value for each in rivals)


@given(st.lists(VALUES))
def test_who_belongs_to_nothing_has_nothing(programme):
    assert held(programme, Holder(tier="regular"), datetime(2026, 6, 15)) == []  # noqa: DTZ001


@given(st.lists(VALUES), st.sampled_from(["silver", "gold"]))
def test_what_is_given_by_hand_is_had_beside_what_the_tier_brings(programme, tier):
    moment = datetime(2026, 6, 15)  # noqa: DTZ001
    given_all = {each.code: [Given(1, moment.date())] for each in programme}
    assert held(programme, Holder(given=given_all), moment) == programme
    both = held(programme, Holder(tier, given=given_all), moment)
    assert all(each in both for each in held(programme, Holder(tier), moment))


@given(DAYS, st.integers(1901, 2199))
def test_everybody_has_one_birthday_a_year_and_29_february_is_the_28th(born, year):
    day = observed(born, year)
    assert (day.year, day.month) == (year, born.month)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    assert day.day == (28 if (born.month, born.day) == (2, 29) and not leap else born.day)


@given(DAYS, DAYS, WINDOWS)
def test_a_birthday_gift_has_its_time_exactly_within_its_window(born, today, days):
    found = birthday_around(born, today, days)
    if found is None:
        near = [observed(born, year) for year in (today.year - 1, today.year, today.year + 1)]
        assert born > today or all(
            not day - timedelta(days=days.before) <= today <= day + timedelta(days=days.after) for day in near
        )
    else:
        assert found - timedelta(days=days.before) <= today <= found + timedelta(days=days.after)


@settings(max_examples=25)
@given(st.dates(date(1950, 1, 1), date(2000, 1, 1)), WINDOWS, st.integers(2001, 2100))
def test_each_year_brings_one_birthday_gift_whatever_the_window(born, days, year):
    gift = Benefit("b", Kind.BIRTHDAY_GIFT, {"en": "x"}, series="birthday", period="year", tiers=frozenset({"gold"}))
    periods = {
        each.period
        for day in range(366)
        for each in claimable([gift], Holder("gold"), born, date(year, 1, 1) + timedelta(days=day), days)
    }
    assert f"{year}" in periods
    assert len(periods) <= 3


# --- what an owner writes -------------------------------------------------------------------


def test_the_defaults_make_sense_and_know_every_kind_but_packs_and_events_that_there_are_not(words):
    found = benefits(default_benefits())
    assert {each.kind for each in found} == set(KINDS) - {Kind.COUPON_PACK, Kind.EVENT_PRIORITY}
    diamond = held(found, Holder("diamond"), datetime(2026, 6, 15))  # noqa: DTZ001
    assert best(diamond, Kind.MULTIPLIER, "mall").value == 5
    assert best(diamond, Kind.DISCOUNT, "mall").value == 20


PRICE = entry("discount", value=10, tiers=["gold"])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (entry("discount", value=101), "whole number from 0 to 100"),
        (entry("discount", value=-5), "whole number from 0 to 100"),
        (entry("discount", value="10"), "whole number"),
        (entry("discount", value=True), "whole number"),
        (entry("multiplier", value="-2"), "from 1 to 10"),
        (entry("multiplier", value="0.5"), "from 1 to 10"),
        (entry("multiplier", value="11"), "from 1 to 10"),
        (entry("multiplier", value="1e999999999"), "from 1 to 10"),
        (entry("early_access", value=0), "days must be a whole number from 1"),
        (entry("warranty", value=999), "months must be a whole number"),
        (PRICE | {"starts": "2026-02-30T00:00"}, "no date and time"),
        (PRICE | {"starts": "2026-06-02T00:00", "ends": "2026-06-01T00:00"}, "ends before it begins"),
        (PRICE | {"name": {}}, "needs a name"),
        (PRICE | {"name": {"en": "x" * 201}}, "at most 200"),
        (PRICE | {"name": "x"}, "by language"),
        (PRICE | {"code": "No Code"}, "is no code"),
        (PRICE | {"kind": "wish"}, "no kind of benefit"),
        (PRICE | {"tiers": "gold"}, "lists of codes"),
        (PRICE | {"percent": 3}, "nobody knows"),
        (entry("monthly_gift"), "gives nothing"),
        (entry("monthly_gift", gifts=[]), "gives nothing"),
        (entry("monthly_gift", gifts=[{"points": 0}]), "from 1 to"),
        (entry("monthly_gift", gifts=[{"points": -5}]), "from 1 to"),
        (entry("monthly_gift", gifts=[{"text": {"en": " "}}]), "gives nothing"),
        (entry("monthly_gift", gifts=[{"points": 1, "text": {"en": "x"}}]), "either points or a text"),
        (entry("coupon_pack", gifts=[{"points": 1}], period="day"), "once, every month or every year"),
    ],
)
def test_nonsense_is_refused_with_a_sentence(words, wrong, says):
    with pytest.raises(InvalidInput, match=says):
        BenefitTerms(benefits=[wrong])


@pytest.mark.parametrize(
    "other",
    [
        {"value": 20},
        {"value": 20, "tiers": ["silver", "gold"]},
        {"value": 20, "starts": "2030-01-01T00:00"},
    ],
)
def test_two_prices_for_the_same_people_at_the_same_time_contradict_each_other(words, other):
    with pytest.raises(InvalidInput, match="Which one counts"):
        BenefitTerms(benefits=[PRICE, PRICE | {"code": "other"} | other])


@pytest.mark.parametrize(
    "other",
    [
        {"tiers": ["silver"]},
        {"tiers": [], "tags": ["gold"]},
        {"value": 20, "units": ["cinema"]},
        {"kind": "early_access"},
    ],
)
def test_what_is_for_others_or_for_a_unit_contradicts_nothing(words, other):
    assert len(BenefitTerms(benefits=[PRICE, PRICE | {"code": "other"} | other]).all) == 2


def test_prices_one_after_the_other_contradict_nothing(words):
    spring = PRICE | {"code": "spring", "ends": "2026-06-01T00:00"}
    summer = PRICE | {"code": "summer", "starts": "2026-06-01T00:00", "value": 20}
    assert len(BenefitTerms(benefits=[spring, summer]).all) == 2


def test_a_price_of_one_unit_that_is_no_better_would_never_count(words):
    with pytest.raises(InvalidInput, match="would never count"):
        BenefitTerms(benefits=[PRICE, PRICE | {"code": "cinema", "value": 5, "units": ["cinema"]}])


def test_two_gifts_of_one_series_for_the_same_people_contradict_each_other(words):
    gift = entry("monthly_gift", tiers=["gold"], gifts=[{"points": 5}])
    with pytest.raises(InvalidInput, match="Which one counts"):
        BenefitTerms(benefits=[gift, gift | {"code": "other"}])
    assert BenefitTerms(benefits=[gift, gift | {"code": "other", "series": "tea"}])


def test_codes_are_used_once_and_windows_are_bounded(words):
    with pytest.raises(InvalidInput, match="used twice"):
        BenefitTerms(benefits=[PRICE, PRICE])
    with pytest.raises(InvalidInput, match="at most 120 days"):
        BenefitTerms(birthday_days_after=121)


def test_multipliers_are_exact(words):
    [found] = BenefitTerms(benefits=[entry("multiplier", value="1.1")]).all
    assert found.value == Fraction(11, 10)
