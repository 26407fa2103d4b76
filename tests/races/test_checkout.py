"""Many buyers, many tabs, one click too many: what the checkout sends, all at once, on PostgreSQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.loyalty.ledger.actions import InsufficientPoints
from app.loyalty.ledger.verify import verify
from app.mall.cart.actions import put_in, take_out
from app.mall.cart.queries import cart_of
from app.mall.catalog.errors import OutOfStock
from app.mall.orders import actions as orders
from app.mall.orders.models import Order
from app.mall.orders.queries import Wanted
from app.mall.orders.rules import Figures
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import ADDRESS, make_goods, order_some, orders_in_all, stock_of, wallet_of
from tests.racing import ON_POSTGRESQL, at_once

pytestmark = ON_POSTGRESQL


@pytest.fixture(autouse=True)
def books_stay_clean(app):
    yield
    db.session.rollback()
    assert verify().findings == []


def test_two_hundred_buyers_share_twenty_pieces(app):
    """Forty people at once, five tries each."""
    tea = make_goods(points=10, stock=20)
    people = [make_member(name=f"Buyer {number}", points=100) for number in range(40)]

    def try_five_times(member):
        found = []
        for _ in range(5):
            try:
                found.append(order_some(member, tea))
            except OutOfStock as refusal:
                found.append(refusal)
        return found

    answers = [answer for each in at_once(app, [lambda m=m: try_five_times(m) for m in people]) for answer in each]
    db.session.rollback()
    sold = [answer for answer in answers if isinstance(answer, int)]
    told = [str(answer) for answer in answers if isinstance(answer, OutOfStock)]
    assert len(answers) == 200
    assert (len(sold), len(set(sold)), orders_in_all(), stock_of(tea)) == (20, 20, 20, 0)
    assert set(told) == {"Green tea · Tin is sold out just now."}
    assert sum(100 - wallet_of(member)[0] for member in people) == 200


def offset_order(member, kettle, points):
    """An order for money of which so many points pay a part, a fen for each."""
    expected = Figures(Points(points), kettle.figures.cash - Money(points, "CNY"))
    return order_some(member, kettle, offset_points=points, expected=expected)


def test_ten_tabs_spend_each_point_once(app):
    """Half of them pay prices in points, the others a part of the money."""
    member = make_member(points=450)
    tea, kettle = make_goods(points=100, stock=50), make_goods("Kettle", points=0, cash=5_000, stock=50)
    tabs = [lambda: order_some(member, tea)] * 5 + [lambda: offset_order(member, kettle, 100)] * 5
    answers = at_once(app, tabs)
    db.session.rollback()
    assert sum(isinstance(answer, int) for answer in answers) == 4
    assert sum(isinstance(answer, InsufficientPoints) for answer in answers) == 6
    balance, held = wallet_of(member)
    assert balance - held == 50
    assert db.session.scalar(sa.select(sa.func.sum(Order.points))) == 400


def test_the_same_form_sent_five_times_at_once_is_one_order_and_empties_the_cart(app):
    member = make_member(points=1_000)
    tea, cup = make_goods(points=100), make_goods("Cup", points=50)
    with transaction():
        for goods in (tea, cup):
            put_in(member_id=member, variant_id=goods.variant_id, price_id=goods.price_id, quantity=1, now=NOON)

    def send():
        with transaction():
            wanted = [Wanted(goods.variant_id, goods.price_id) for goods in (tea, cup)]
            expected = Figures(tea.figures.points + cup.figures.points, tea.figures.cash)
            order = orders.place(
                member_id=member,
                wanted=wanted,
                address=ADDRESS,
                key="one-and-the-same-form",
                expected=expected,
                now=NOON,
            )
            take_out(member_id=member, lines=[(goods.variant_id, goods.price_id) for goods in (tea, cup)])
            return order.id

    answers = at_once(app, [send] * 5)
    db.session.rollback()
    assert len(set(answers)) == 1
    assert isinstance(answers[0], int)
    assert wallet_of(member) == (850, 0)
    assert (stock_of(tea), stock_of(cup), cart_of(member)) == (9, 9, [])
