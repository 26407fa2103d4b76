"""What was ordered comes back: money, points and what they earned, exact to the fen and the point."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.mall.orders.jobs import complete_orders
from app.mall.orders.queries import order_by_id
from app.mall.returns.actions import approve, ask, cancel, reject, settle, withdraw
from app.mall.returns.errors import (
    AlreadyOpen,
    NothingToReturn,
    NotReturnable,
    ReasonMissing,
    ReplacedBefore,
    StepRefused,
    TooMany,
    WindowOver,
)
from app.mall.returns.models import ReturnCase
from app.mall.returns.queries import outcome
from app.mall.returns.rules import Sold, back_for
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import fresh_key, make_goods, stock_of
from tests.mall.returns.parcels import DAY, STAFF, delivered, me, place_code, points_of, receive, refunded, take, wish


@pytest.fixture
def lin(app):
    return make_member(name="Lin", points=10_000)


def test_one_of_two_lines_comes_back_with_its_money_its_points_and_what_it_earned(lin):
    kettle, tea = make_goods("Kettle", points=0, cash=100_00), make_goods("Tea", points=200, cash=50_00)
    order = delivered(lin, kettle, tea, offset=3_000)
    assert points_of(lin) == (10_000 - 3_200, 120)  # ¥150 of goods, ¥30 of them paid with points
    case = take(wish(order, lin, 1, 0))
    assert (case.cash, case.points, case.taken_back) == (80_00, 2_000, 80)
    assert points_of(lin) == (10_000 - 1_200, 40)
    assert (refunded(order), stock_of(kettle), stock_of(tea)) == ([80_00], 10, 9)
    assert verify().clean


def test_333_33_in_three_lines_returned_one_by_one_sums_exactly(lin):
    goods = [make_goods(f"Cup {n}", points=0, cash=111_11) for n in range(3)]
    order = delivered(lin, *goods, offset=10_000)
    assert points_of(lin) == (0, 233)
    for place_ in range(3):
        counts = [int(n == place_) for n in range(3)]
        take(wish(order, lin, *counts))
    assert points_of(lin) == (10_000, 0)
    assert sum(refunded(order)) == 233_33
    assert verify().clean


def test_delivery_comes_back_when_the_shop_caused_it_and_nothing_is_left(lin):
    kettle = make_goods("Kettle", points=0, cash=100_00)
    mine, theirs = (delivered(lin, kettle, delivery="express", quantity=2) for _ in range(2))
    assert take(wish(mine, lin, 2)).cash == 200_00
    first = wish(theirs, lin, 1, reason="defective")
    assert take(first).cash == 100_00
    assert take(wish(theirs, lin, 1, reason="defective")).cash == 112_00


def test_what_is_seen_before_is_what_happens(lin):
    order = delivered(lin, make_goods("Kettle", points=300, cash=99_99), quantity=3, offset=1_234)
    case = wish(order, lin, 2)
    seen = outcome(order_by_id(order), {order_by_id(order).lines[0].id: 2}, kind="return", reason="unwanted", now=NOON)
    done = take(case)
    assert (seen.cash.amount, seen.points, seen.taken_back) == (done.cash, Points(done.points), Points(done.taken_back))


def test_points_that_have_expired_come_back_expired_unless_the_shop_caused_it(lin):
    late = NOON + 400 * DAY  # The opening balance lives for a year.
    for reason, expired, comes in (("unwanted", 500, 0), ("defective", 0, 500)):
        member = make_member(name=reason, points=500)
        order = delivered(member, make_goods(points=500))
        lines = order_by_id(order).lines
        assert (
            int(outcome(order_by_id(order), {lines[0].id: 1}, kind="return", reason=reason, now=late).expired)
            == expired
        )
        take(wish(order, member, 1, reason=reason, now=late, by=STAFF), now=late)
        assert int(standing(member, now=late).available) == comes
    assert verify().clean


def test_an_open_return_keeps_the_order_from_being_completed(lin):
    order = delivered(lin, make_goods(points=100))
    case = wish(order, lin, 1)
    assert complete_orders(now=NOON + 30 * DAY) == 0
    with transaction():
        withdraw(case_id=case, by=me(lin), now=NOON + 30 * DAY)
    assert complete_orders(now=NOON + 30 * DAY) == 1


def test_an_exchange_sends_the_same_once_more_for_nothing(lin):
    tea = make_goods(points=100, cash=20_00)
    order = delivered(lin, tea, quantity=2)
    case = take(wish(order, lin, 1, kind="exchange", reason="wrong"), back_on_shelf=False)
    made = order_by_id(case.replacement_id)
    assert (made.state, made.points, made.cash, made.lines[0].quantity) == ("paid", 0, 0, 1)
    assert (refunded(order), stock_of(tea), points_of(lin)[0]) == ([], 7, 10_000 - 200)


def test_what_was_replaced_is_done_and_what_came_instead_can_be_claimed(lin):
    order = delivered(lin, make_goods(points=100, cash=20_00), quantity=2)
    case = take(wish(order, lin, 1, kind="exchange", reason="wrong"))
    for kind, by in (("return", me(lin)), ("exchange", me(lin)), ("warranty", me(lin)), ("return", STAFF)):
        with pytest.raises(ReplacedBefore):
            wish(order, lin, 2, kind=kind, by=by)
    assert take(wish(order, lin, 1)).points == 100
    with pytest.raises(TooMany):
        wish(order, lin, 2)
    with pytest.raises(ReplacedBefore):
        wish(order, lin, 1, by=STAFF, reason="defective")
    receive(case.replacement_id, lin)
    again = take(wish(case.replacement_id, lin, 1, kind="warranty", reason="defective"))
    with pytest.raises(ReplacedBefore):
        wish(case.replacement_id, lin, 1, kind="warranty", reason="defective")
    assert order_by_id(again.replacement_id).state == "paid"
    assert (sum(refunded(order)), points_of(lin)[0]) == (20_00, 10_000 - 100)


def test_a_replacement_that_cannot_be_delivered_replaces_nothing(lin):
    order = delivered(lin, make_goods(points=100))
    case = take(wish(order, lin, 1, kind="exchange", reason="wrong"))
    with transaction():
        cancel(order_id=case.replacement_id, reason="unavailable", key=fresh_key(), by=STAFF, now=NOON)
    assert take(wish(order, lin, 1)).points == 100


def test_a_claim_under_warranty_is_possible_long_after_the_window(lin):
    order = delivered(lin, make_goods(points=100), quantity=2)
    complete_orders(now=NOON + 30 * DAY)
    with pytest.raises(WindowOver):
        wish(order, lin, 1, now=NOON + 30 * DAY)
    case = wish(order, lin, 1, kind="warranty", reason="defective", now=NOON + 300 * DAY)
    assert take(case, now=NOON + 300 * DAY).replacement_id
    with pytest.raises(WindowOver):
        wish(order, lin, 1, kind="warranty", reason="defective", now=NOON + 400 * DAY)


def test_the_last_day_of_the_window_counts(lin):
    order = delivered(lin, make_goods(points=100))
    with pytest.raises(WindowOver):
        wish(order, lin, 1, now=NOON + 7 * DAY)
    assert wish(order, lin, 1, now=NOON + 7 * DAY - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("counts", "refusal"), [((0,), NothingToReturn), ((-1,), NothingToReturn), ((3,), TooMany), ((10**9,), TooMany)]
)
def test_pieces_that_were_not_bought_cannot_come_back(lin, counts, refusal):
    order = delivered(lin, make_goods(points=100), quantity=2)
    with pytest.raises(refusal):
        wish(order, lin, *counts)


def test_lines_of_other_orders_cannot_come_back(lin):
    mine, other = delivered(lin, make_goods(points=100)), delivered(lin, make_goods(points=100))
    foreign = {order_by_id(other).lines[0].id: 1}
    with pytest.raises(TooMany), transaction():
        ask(order_id=mine, kind="return", pieces=foreign, reason="other", key=fresh_key(), by=me(lin), now=NOON)


def test_what_is_not_here_yet_or_is_no_parcel_cannot_be_sent_back(lin):
    ticket = make_goods("Ticket", kind="code", points=100)
    order = place_code(lin, ticket)
    with pytest.raises(NotReturnable):
        wish(order, lin, 1)
    assert wish(order, lin, 1, by=STAFF, reason="defective")


def test_one_return_of_an_order_at_a_time_and_one_decision(lin):
    order = delivered(lin, make_goods(points=100), quantity=2)
    case = wish(order, lin, 1)
    with pytest.raises(AlreadyOpen):
        wish(order, lin, 1)
    with pytest.raises(ReasonMissing), transaction():
        reject(case_id=case, answer=" ", by=STAFF, now=NOON)
    with transaction():
        approve(case_id=case, by=STAFF, now=NOON)
    take(case)
    for again in (approve, settle):
        more = {"back_on_shelf": True} if again is settle else {}
        with pytest.raises(StepRefused), transaction():
            again(case_id=case, by=STAFF, now=NOON, **more)
    assert wish(order, lin, 1) != case


def test_the_same_form_twice_is_one_case(lin):
    order, key = delivered(lin, make_goods(points=100)), fresh_key()
    pieces = {order_by_id(order).lines[0].id: 1}
    for _ in range(2):
        with transaction():
            ask(order_id=order, kind="return", pieces=pieces, reason="other", key=key, by=me(lin), now=NOON)
    assert db.session.scalar(sa.select(sa.func.count(ReturnCase.id))) == 1


# --- for every order ------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_in_whatever_pieces_a_line_comes_back_it_brings_what_was_paid(cash, points, returns):
    of, before, got = sum(returns), 0, (0, 0)
    for pieces in returns:
        back = back_for(Sold(line_id=1, quantity=of, returned=before, cash=cash, points=points), pieces)
        got, before = (got[0] + back.cash, got[1] + back.points), before + pieces
    assert got == (cash, points)
