from datetime import date

import pytest

from app.foundation.errors import InvalidInput
from app.loyalty.tiers.rules import Keep, Requirement, Step, first_review, full_months, highest, next_review, window

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


# --- keeping ------------------------------------------------------------------------------------

SILVER = {
    "match": "all",
    "window_months": 3,
    "conditions": [
        {"metric": "spend", "at_least": 200_00, "months": 1},
        {"metric": "points_earned", "at_least": 300},
    ],
}


def months(*pairs):
    """(spend in yuan, points) of each month."""
    return [figures(spend=yuan * 100, points_earned=points) for yuan, points in pairs]


@pytest.mark.parametrize(
    ("by_month", "kept"),
    [
        (months((200, 200), (0, 100), (0, 0)), True),
        (months((0, 0), (0, 0), (200, 300)), True),
        (months((199, 199), (199, 199), (199, 199)), False),
        (months((200, 299), (0, 0), (0, 0)), False),
    ],
)
def test_silver_is_kept_or_lost_by_three_months(by_month, kept):
    assert Keep.parse(SILVER).kept(by_month) is kept


def test_so_many_single_months_can_be_asked_for():
    keep = Keep.parse({"window_months": 3, "conditions": [{"metric": "purchases", "at_least": 2, "months": 2}]})
    assert keep.kept([figures(purchases=2), figures(purchases=5), figures()])
    assert not keep.kept([figures(purchases=9), figures(purchases=1), figures()])


@pytest.mark.parametrize(
    ("by_month", "reviews"),
    [
        (months((0, 0), (0, 0), (0, 0)), 0),
        (months((200, 300), (0, 0), (0, 0)), 1),
        (months((0, 0), (0, 0), (200, 300)), 3),
        (months((0, 100), (0, 0), (200, 200)), 1),
    ],
)
def test_how_many_reviews_a_tier_survives_when_nothing_more_happens(by_month, reviews):
    assert Keep.parse(SILVER).reviews_survived(by_month) == reviews


def test_a_tier_that_asks_for_nothing_is_kept_for_ever():
    assert Keep.parse({}).kept([])


@pytest.mark.parametrize("wrong", [{"months": 4}, {"months": -1}, {"months": "1"}, {"metric": "balance"}])
def test_nonsense_about_keeping_is_refused(wrong):
    with pytest.raises(InvalidInput):
        Keep.parse({"window_months": 3, "conditions": [{"metric": "spend", "at_least": 1} | wrong]})


@pytest.mark.parametrize(
    ("since", "first"),
    [
        (date(2026, 8, 10), date(2026, 12, 1)),
        (date(2026, 11, 30), date(2027, 3, 1)),
        (date(2026, 12, 31), date(2027, 4, 1)),
    ],
)
def test_the_first_review_comes_after_a_full_window(since, first):
    assert first_review(since, window_months=3) == first


@pytest.mark.parametrize(
    ("today", "month"),
    [
        (date(2026, 12, 2), date(2026, 12, 1)),
        (date(2026, 12, 3), date(2027, 1, 1)),
        (date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_the_next_review_is_this_months_until_its_day(today, month):
    assert next_review(today, review_day=3) == month


def test_full_months_run_over_new_year():
    assert full_months(date(2026, 2, 1), 3) == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
