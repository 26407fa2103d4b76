"""What to do next, decided from a member's situation alone."""

from __future__ import annotations

from app.engagement.home.rules import Situation, suggest

CALM = {
    "unpaid_order": False,
    "available": 100,
    "expiring": 0,
    "reach": None,
    "tier_share": None,
    "profile_complete": True,
}


def of(**changes):
    return suggest(Situation(**(CALM | changes)))


def test_where_nothing_is_to_be_done_nothing_is_suggested():
    assert of() == []


def test_an_unpaid_order_comes_first_for_its_points_are_set_aside():
    assert of(unpaid_order=True, expiring=50, reach=80)[0] == "pay_order"


def test_expiring_points_are_more_urgent_than_plenty_of_points():
    assert of(expiring=50, reach=80) == ["expiring"]
    assert of(reach=80) == ["redeem"]


def test_a_product_that_costs_more_is_something_to_save_up_for():
    assert of(reach=101) == ["save_up"]
    assert of(reach=100) == ["redeem"]


def test_the_next_tier_is_mentioned_when_it_is_near():
    assert of(tier_share=0.59) == []
    assert of(tier_share=0.6) == ["next_tier"]


def test_at_most_three_and_the_profile_before_dreams():
    everything = of(unpaid_order=True, expiring=5, reach=5000, tier_share=0.9, profile_complete=False)
    assert everything == ["pay_order", "expiring", "next_tier"]
    assert of(reach=5000, profile_complete=False) == ["profile", "save_up"]
