"""What an order comes to. Pure: items in, every figure out, in the order in which the figures follow from each other.

Member price → coupon → points offset → delivery. Amounts are whole minor units and whole points; what is shared out
over lines sums exactly to the whole, so that returning line by line gives back neither more nor less than was paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PERCENT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """So many pieces at one price. ``cash`` is what this member pays for a piece, ``ordinary`` what others do."""

    quantity: int
    points: int = 0
    cash: int = 0
    ordinary: int = 0

    @property
    def cash_sum(self) -> int:
        return self.cash * self.quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRule:
    """``points`` are worth ``money`` minor units; at most ``most_percent`` of the goods can be paid with them.

    ``least_cash`` is the smallest amount that can be collected: what is left to pay is that, or nothing.
    """

    points: int = 100
    money: int = 100
    most_percent: int = 50
    least_cash: int = 1


@dataclass(frozen=True, slots=True)
class Share:
    """One line's part of what was taken off; ``cash`` is what is really paid for its goods."""

    coupon: int
    offset: int
    offset_points: int
    cash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """``ordinary`` − ``member_discount`` = ``goods``; ``goods`` − ``coupon`` − ``offset`` + ``delivery`` = ``cash``.

    ``price_points`` are what prices in points ask for, ``offset_points`` what pays instead of money.
    """

    ordinary: int
    member_discount: int
    goods: int
    coupon: int
    offset: int
    offset_points: int
    delivery: int
    price_points: int
    shares: tuple[Share, ...]

    @property
    def cash(self) -> int:
        return self.goods - self.coupon - self.offset + self.delivery

    @property
    def points(self) -> int:
        return self.price_points + self.offset_points


def bill(
    items: Sequence[Item], *, rule: OffsetRule, offset_points: int = 0, coupon: int = 0, delivery: int = 0
) -> Bill:
    """``coupon`` minor units off, never more than the goods cost. ``offset_points`` as far as they may be used.

    Points that would be worth less than a minor unit are not taken.
    """
    goods = sum(item.cash_sum for item in items)
    coupon = min(max(coupon, 0), goods)
    offset, offset_points = _offset(goods - coupon, delivery, offset_points, rule)
    after = shares_of(coupon, [item.cash_sum for item in items])
    left = [item.cash_sum - taken for item, taken in zip(items, after, strict=True)]
    offsets = shares_of(offset, left)
    offset_parts = shares_of(offset_points, offsets)
    ordinary = sum(max(item.ordinary, item.cash) * item.quantity for item in items)
    return Bill(
        ordinary=ordinary,
        member_discount=ordinary - goods,
        goods=goods,
        coupon=coupon,
        offset=offset,
        offset_points=offset_points,
        delivery=delivery,
        price_points=sum(item.points * item.quantity for item in items),
        shares=tuple(
            Share(taken, part, points, rest - part)
            for taken, part, points, rest in zip(after, offsets, offset_parts, left, strict=True)
        ),
    )


def most_offset(items: Sequence[Item], *, rule: OffsetRule, available: int, coupon: int = 0, delivery: int = 0) -> int:
    """How many points may be used instead of money by somebody who has ``available`` for everything."""
    free = available - sum(item.points * item.quantity for item in items)
    return bill(items, rule=rule, offset_points=max(free, 0), coupon=coupon, delivery=delivery).offset_points


def _offset(goods: int, delivery: int, points: int, rule: OffsetRule) -> tuple[int, int]:
    """Money that points pay, and how many of them that takes."""
    most = goods * rule.most_percent // PERCENT
    offset = min(max(points, 0) * rule.money // rule.points, most)
    rest = goods - offset + delivery
    if 0 < rest < rule.least_cash:
        # What is left could not be collected: leave the least that can be, or use no points at all.
        offset = max(goods + delivery - rule.least_cash, 0)
    return offset, -(-offset * rule.points // rule.money)


def shares_of(amount: int, weights: Sequence[int]) -> list[int]:
    """``amount`` in whole parts by weight, which sum to it: what is left over goes to the largest remainders.

    No part is larger than its weight as long as ``amount`` is not larger than all of them together.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for place in by_remainder[: amount - sum(parts)]:
        parts[place] += 1
    return parts
