"""What an order comes to: every figure exact, nothing below zero, parts that sum to the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mall.orders.bills import Item, OffsetRule, bill, most_offset, shares_of

RULE = OffsetRule(least_cash=50)


def test_a_hundred_points_are_worth_one_yuan():
    made = bill([Item(quantity=1, cash=100_00)], rule=RULE, offset_points=2_000)
    assert (made.offset, made.offset_points, made.cash, made.points) == (20_00, 2_000, 80_00, 2_000)


def test_points_pay_half_of_the_goods_at_most():
    assert most_offset([Item(quantity=1, cash=100_00)], rule=RULE, available=99_999) == 5_000


def test_delivery_is_paid_in_cash():
    made = bill([Item(quantity=1, cash=100_00)], rule=RULE, offset_points=99_999, delivery=8_00)
    assert (made.offset, made.cash) == (50_00, 58_00)


def test_the_member_price_comes_before_everything_else():
    made = bill([Item(quantity=2, cash=80_00, ordinary=100_00)], rule=RULE, coupon=10_00, offset_points=1_000)
    assert (made.ordinary, made.member_discount, made.goods) == (200_00, 40_00, 160_00)
    assert (made.coupon, made.offset, made.cash) == (10_00, 10_00, 140_00)


def test_prices_in_points_are_no_offset():
    items = [Item(quantity=2, points=300), Item(quantity=1, points=100, cash=20_00)]
    made = bill(items, rule=RULE, offset_points=500)
    assert (made.price_points, made.offset_points, made.points, made.cash) == (700, 500, 1_200, 15_00)
    assert most_offset(items, rule=RULE, available=900) == 200


def test_what_is_left_is_nothing_or_enough_to_be_collected():
    half = OffsetRule(least_cash=50, most_percent=100)
    assert bill([Item(quantity=1, cash=1_00)], rule=half, offset_points=70).cash == 50
    assert bill([Item(quantity=1, cash=1_00)], rule=half, offset_points=100).cash == 0


def test_a_coupon_never_makes_the_total_negative():
    made = bill([Item(quantity=1, cash=5_00)], rule=RULE, coupon=9_00)
    assert (made.coupon, made.cash) == (5_00, 0)


def test_333_33_in_three_lines_with_points_goes_back_exactly_line_by_line():
    made = bill([Item(quantity=1, cash=111_11)] * 3, rule=RULE, offset_points=10_000)
    assert sum(share.cash for share in made.shares) == made.cash == 233_33
    assert sum(share.offset_points for share in made.shares) == 10_000


rules = st.builds(
    OffsetRule,
    points=st.integers(1, 500),
    money=st.integers(1, 500),
    most_percent=st.integers(0, 100),
    least_cash=st.integers(0, 500),
)
items = st.lists(
    st.builds(
        Item,
        quantity=st.integers(1, 20),
        points=st.integers(0, 10**6),
        cash=st.integers(0, 10**7),
        ordinary=st.integers(0, 10**7),
    ),
    min_size=1,
    max_size=8,
)
amounts = st.integers(0, 10**9)


@given(items, rules, amounts, amounts, st.integers(0, 10**4))
def test_every_bill_adds_up(items, rule, points, coupon, delivery):
    made = bill(items, rule=rule, offset_points=points, coupon=coupon, delivery=delivery)
    assert made.ordinary - made.member_discount == made.goods
    assert made.cash >= 0
    assert made.offset_points <= points
    assert made.offset <= made.goods * rule.most_percent // 100
    if points and made.offset:
        assert made.cash == 0 or made.cash >= min(rule.least_cash, made.goods - made.coupon + made.delivery)
    assert sum(share.cash for share in made.shares) + made.delivery == made.cash
    assert sum(share.coupon for share in made.shares) == made.coupon
    assert sum(share.offset for share in made.shares) == made.offset
    assert sum(share.offset_points for share in made.shares) == made.offset_points
    assert all(min(share.cash, share.coupon, share.offset, share.offset_points) >= 0 for share in made.shares)


@given(items, rules, amounts, amounts)
def test_whoever_uses_as_much_as_possible_can_pay_for_it(items, rule, available, coupon):
    offset = most_offset(items, rule=rule, available=available, coupon=coupon)
    made = bill(items, rule=rule, offset_points=offset, coupon=coupon)
    assert made.offset_points == offset
    assert offset == 0 or made.points <= available


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=9))
def test_parts_sum_to_the_whole(amount, weights):
    parts = shares_of(amount, weights)
    assert sum(parts) == (amount if sum(weights) else 0)
    if amount <= sum(weights):
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


@pytest.mark.parametrize("points", [-5, 0])
def test_fewer_than_no_points_are_none(points):
    assert bill([Item(quantity=1, cash=5_00)], rule=RULE, offset_points=points).points == 0
