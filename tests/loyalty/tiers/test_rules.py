from datetime import date

import pytest

from app.foundation.errors import InvalidInput
from app.loyalty.tiers.rules import Requirement, Step, highest, window

SPEND_OR_EARN = {
    "match": "any",
    "window_months": 12,
    "conditions": [{"metric": "spend", "at_least": 500_00}, {"metric": "points_earned", "at_least": 500}],
}
NOTHING = {"spend": 0, "purchases": 0, "points_earned": 0, "growth": 0}


def requirement(**changes):
    return Requirement.parse(SPEND_OR_EARN | changes)


def figures(**some):
    return NOTHING | some


@pytest.mark.parametrize(
    ("match", "mine", "reached"),
    [
        ("any", figures(), False),
        ("any", figures(spend=499_99, points_earned=499), False),
        ("any", figures(spend=500_00), True),
        ("any", figures(points_earned=500), True),
        ("all", figures(spend=500_00), False),
        ("all", figures(spend=500_00, points_earned=500), True),
    ],
)
def test_any_or_all_conditions_reach_a_tier(match, mine, reached):
    assert requirement(match=match).reached(mine) is reached


def test_a_tier_that_asks_for_nothing_is_given_by_hand_only():
    assert not requirement(conditions=[]).reached(figures(spend=10**9))
    assert not requirement(conditions=[], match="all").reached(figures(spend=10**9))


def test_the_highest_reached_step_counts_and_those_between_are_skipped():
    spends = (0, 500_00, 5_000_00, 20_000_00)
    ladder = [
        Step(rank + 10, rank, requirement(conditions=[{"metric": "spend", "at_least": spend}] if spend else []))
        for rank, spend in enumerate(spends)
    ]
    assert highest(ladder, {12: figures(spend=6_000_00)}, above=0).rank == 2
    assert highest(ladder, {12: figures(spend=6_000_00)}, above=2) is None
    assert highest(ladder, {12: figures()}, above=0) is None


def test_each_tier_looks_back_over_its_own_window():
    ladder = [Step(1, 1, requirement()), Step(2, 2, requirement(window_months=3))]
    assert highest(ladder, {12: figures(spend=500_00), 3: figures()}, above=0).rank == 1


@pytest.mark.parametrize(
    ("today", "months", "first"),
    [
        (date(2026, 6, 15), 12, date(2025, 6, 16)),
        (date(2024, 2, 29), 12, date(2023, 3, 1)),
        (date(2026, 3, 31), 1, date(2026, 3, 1)),
        (date(2026, 1, 1), 1, date(2025, 12, 2)),
    ],
)
def test_a_window_of_months_ends_with_today(today, months, first):
    assert window(today, months) == (first, today)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"match": "most"},
        {"window_months": 0},
        {"window_months": "12"},
        {"conditions": [{"metric": "balance", "at_least": 1}]},
        {"conditions": [{"metric": "spend", "at_least": 0}]},
        {"conditions": [{"metric": "spend", "at_least": 1.5}]},
    ],
)
def test_conditions_that_make_no_sense_are_refused(nonsense):
    with pytest.raises(InvalidInput):
        requirement(**nonsense)
