"""Whatever is in a cart: the lines of the order sum to what was paid, to the fen and the point."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.foundation import terms
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.loyalty.benefits.queries import Perks
from app.mall.catalog import queries as catalog
from app.mall.checkout.drafts import Asked, draft
from app.mall.checkout.rules import Line
from app.mall.orders import actions as orders
from app.mall.orders.delivery import DeliveryTerms
from app.mall.orders.queries import Wanted, order_by_id
from app.mall.orders.rules import Figures
from app.mall.orders.terms import OrderTerms
from tests.conftest import NOON
from tests.factories import give_points
from tests.mall.orders.shop import ADDRESS, make_goods, wallet_of

PRICES = ((100, 0), (0, 4_999), (30, 1_001), (0, 1), (7, 33_333))
DRAWN = ("pieces", "percent", "share", "offset", "delivery")
_numbers = itertools.count()


class Reduced(Perks):
    """Some percent off for members."""

    def discount(self, _unit_id: int) -> int:
        return self.tier_rank


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pieces=st.lists(st.integers(0, 4), min_size=len(PRICES), max_size=len(PRICES)).filter(any),
    percent=st.integers(0, 60),
    share=st.integers(0, 100),
    offset=st.integers(0, 60_000),
    delivery=st.sampled_from(["standard", "express", "pickup"]),
)
def test_an_order_s_lines_sum_to_what_was_paid(alice, monkeypatch, **drawn):
    pieces, percent, share, offset, delivery = (drawn[name] for name in DRAWN)
    goods = _shelf()
    monkeypatch.setattr(catalog, "perks_of", lambda _member, now: Reduced(percent))
    with transaction():
        terms.change(OrderTerms, {"offset_percent": share}, by=SYSTEM, now=NOON)
        terms.change(DeliveryTerms, {"standard_fee": 8}, by=SYSTEM, now=NOON)
        give_points(alice, 3_000, key=f"test:sums:{next(_numbers)}")
    lines = [Line(each.variant_id, each.price_id, count) for each, count in zip(goods, pieces, strict=True) if count]
    before = to_spend(alice)
    made = draft(member_id=alice, asked=Asked(lines, offset=offset, delivery=delivery), now=NOON)
    bill, available = made.quote.bill, int(made.standing.available)
    assert 0 <= bill.offset_points <= min(offset, made.largest, max(0, available))
    assert bill.offset * 100 <= bill.goods * share
    assert bill.cash == 0 or bill.cash >= made.quote.rule.least_cash
    assert min(bill.cash, bill.goods, bill.member_discount, bill.offset) >= 0
    with transaction():
        order_id = orders.place(
            member_id=alice,
            wanted=[Wanted(line.variant_id, line.price_id, line.quantity) for line in lines],
            offset_points=bill.offset_points,
            delivery=delivery,
            address=ADDRESS,
            key=f"a-form-of-the-sums-{next(_numbers):06}",
            expected=Figures(Points(bill.points), Money(bill.cash, "CNY")),
            now=NOON,
        ).id
    order = order_by_id(order_id)
    assert sum(line.points_paid for line in order.lines) == order.points == bill.points
    assert sum(line.cash_paid for line in order.lines) + order.delivery_fee == order.cash == bill.cash
    assert all(line.cash_paid >= 0 for line in order.lines)
    assert before - to_spend(alice) == order.points
    if order.cash:
        with transaction():
            orders.cancel(order_id=order.id, by=Actor("member", alice, "Alice"), now=NOON)
        assert to_spend(alice) == before


def to_spend(member):
    balance, held = wallet_of(member)
    return balance - held


def _shelf():
    if "goods" not in db.session.info:
        db.session.info["goods"] = [
            make_goods(f"Thing {place}", points=points, cash=cash, stock=100_000)
            for place, (points, cash) in enumerate(PRICES)
        ]
    return db.session.info["goods"]
