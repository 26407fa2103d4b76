"""What was paid and has not reached its buyer is given up: it is for sale again, and everything goes back at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError, InvalidInput
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.mall.codes.models import PoolCode
from app.mall.orders.actions import NotToBeGivenUp, complete, confirm_delivery, pack, ship
from app.mall.orders.queries import order_by_id
from app.mall.returns.actions import cancel
from app.mall.returns.errors import AlreadyOpen, BeingPacked, NothingToGiveUp, WindowOver
from app.mall.returns.giveable import giveable
from app.mall.returns.models import ReturnCase
from app.mall.slots.models import ServiceSlot
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.codes.pools import add, withdraw
from tests.mall.orders.shop import fresh_key, make_goods, order_some, state_of, stock_of
from tests.mall.returns.parcels import DAY, STAFF, bought, delivered, me, points_of, refunded, take, wish


@pytest.fixture
def lin(app):
    return make_member(name="Lin", points=10_000)


def give_up(order_id, member, *counts, reason="unwanted", by=None, now=NOON, key=None):
    lines = order_by_id(order_id).lines
    pieces = {line.id: count for line, count in zip(lines, counts, strict=False) if count} if counts else None
    with transaction():
        return cancel(
            order_id=order_id, pieces=pieces, reason=reason, key=key or fresh_key(), by=by or me(member), now=now
        )


def test_all_of_a_paid_order_goes_back(lin):
    kettle = make_goods("Kettle", points=200, cash=100_00)
    order = bought(lin, kettle, offset=3_000, delivery="express", quantity=2)
    paid = order_by_id(order).cash
    case = give_up(order, lin)
    assert (case.kind, case.state, case.cash, case.points) == ("cancellation", "settled", paid, 3_400)
    assert (state_of(order), stock_of(kettle), refunded(order)) == ("cancelled", 10, [paid])
    assert points_of(lin) == (10_000, 0)
    assert verify().clean


def test_a_part_of_it_goes_back_and_the_rest_is_sent(lin):
    kettle, tea = make_goods("Kettle", points=0, cash=100_00), make_goods("Tea", points=200, cash=50_00)
    order = bought(lin, kettle, tea, offset=3_000, delivery="express")
    case = give_up(order, lin, 1)
    assert (case.cash, case.points, case.taken_back) == (80_00, 2_000, 80)
    assert (state_of(order), stock_of(kettle), stock_of(tea)) == ("paid", 10, 9)
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
        ship(order_id=order, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
        confirm_delivery(order_id=order, by=me(lin), now=NOON)
    again = take(wish(order, lin, 0, 1, reason="defective"))
    assert (again.cash, again.points) == (40_00 + order_by_id(order).delivery_fee, 1_200)
    assert points_of(lin) == (10_000, 0)
    assert verify().clean


def test_the_delivery_fee_comes_back_once_nothing_will_be_sent(lin):
    kettle, ticket = make_goods("Kettle", points=0, cash=100_00), make_goods("Ticket", kind="code", cash=30_00)
    order = bought(lin, kettle, ticket, delivery="express", quantity=2)
    fee = order_by_id(order).delivery_fee
    assert fee
    assert give_up(order, lin, 1).cash == 100_00
    assert give_up(order, lin, 1).cash == 100_00 + fee
    assert state_of(order) == "delivered"  # The tickets are there.
    assert give_up(order, lin, 0, 2, reason="unavailable", by=STAFF).cash == 60_00
    assert sum(refunded(order)) == order_by_id(order).cash


def test_the_same_form_twice_gives_back_once(lin):
    order, key = bought(lin, make_goods(points=100)), fresh_key()
    assert give_up(order, lin, key=key).id == give_up(order, lin, key=key).id
    assert points_of(lin) == (10_000, 0)
    with pytest.raises(NothingToGiveUp):
        give_up(order, lin)


def test_once_it_is_packed_only_the_shop_cancels(lin):
    tea = make_goods(points=100)
    order = bought(lin, tea, quantity=3)
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
    with pytest.raises(BeingPacked):
        give_up(order, lin, 1)
    with pytest.raises(BeingPacked):
        give_up(order, lin)
    assert points_of(lin) == (9_700, 0)
    assert give_up(order, lin, 1, by=STAFF, reason="unavailable").points == 100
    line = order_by_id(order).lines[0].id
    with transaction():
        ship(order_id=order, carrier="SF", tracking_number="1", pieces={line: 1}, by=STAFF, now=NOON)
    with pytest.raises(NotToBeGivenUp):
        give_up(order, lin, 2, by=STAFF)
    give_up(order, lin, by=STAFF, reason="unavailable")
    assert (state_of(order), stock_of(tea), points_of(lin)) == ("shipped", 9, (9_900, 0))
    told = sa.select(AuditEntry.action).where(AuditEntry.subject_kind == "return")
    assert db.session.scalars(told).all() == ["return.cancelled"] * 2


def test_points_that_have_expired_come_back_expired_unless_it_cannot_be_delivered(lin):
    late = NOON + 400 * DAY
    for reason, comes in (("unwanted", 0), ("unavailable", 500)):
        member = make_member(name=reason, points=500)
        order = bought(member, make_goods(points=500))
        case = give_up(order, member, reason=reason, by=STAFF, now=late)
        assert (case.points, case.expired) == (500, 500 - comes)
        assert int(standing(member, now=late).available) == comes


def test_a_booked_time_is_given_up_a_day_before(lin):
    massage = make_goods("Massage", kind="service", points=0, cash=80_00)
    order = bought(lin, massage)
    with transaction():
        starts = {"starts_at": NOON + 2 * DAY, "ends_at": NOON + 3 * DAY}
        db.session.execute(sa.update(ServiceSlot).where(ServiceSlot.id == massage.slot_id).values(**starts))
    with pytest.raises(WindowOver):
        give_up(order, lin, 1, now=NOON + DAY)
    assert give_up(order, lin, now=NOON + DAY - timedelta(seconds=1)).cash == 80_00
    assert (state_of(order), stock_of(massage)) == ("cancelled", 10)


def test_codes_that_nobody_looked_at_go_back_within_the_window(lin):
    ticket = make_goods("Ticket", kind="code", points=100)
    order = bought(lin, ticket, quantity=3)
    assert state_of(order) == "delivered"
    seen = db.session.scalars(sa.select(PoolCode.id).where(PoolCode.order_line_id.is_not(None))).first()
    with transaction():
        db.session.execute(sa.update(PoolCode).where(PoolCode.id == seen).values(shown_at=NOON))
    with pytest.raises(NotToBeGivenUp):
        give_up(order, lin, 3)
    give_up(order, lin, 1)
    with pytest.raises(WindowOver):
        give_up(order, lin, 1, now=NOON + 7 * DAY)
    give_up(order, lin)
    assert (state_of(order), stock_of(ticket), points_of(lin)) == ("delivered", 9, (9_900, 0))
    with transaction():
        complete(order_id=order, now=NOON + 7 * DAY)
    assert giveable(order_by_id(order), by=STAFF, now=NOON) == {}


@pytest.fixture
def late_code(lin, monkeypatch):
    """A kettle that is here since noon, and a ticket that has not come: its pool had run dry. (order, ticket)"""
    ticket = make_goods("Ticket", kind="code", points=0, cash=10_00, stock=1)
    with monkeypatch.context() as nobody:
        nobody.setattr("app.mall.orders.reaching.hand_out_codes", lambda *_order, **_now: 0)
        order = delivered(lin, make_goods("Kettle", points=100), ticket)
    withdraw(ticket, "Test")
    return order, ticket


def test_a_code_that_never_came_is_given_up_however_long_ago_the_parcel_arrived(lin, late_code):
    order, _ticket = late_code
    late = NOON + 8 * DAY
    with pytest.raises(WindowOver):
        give_up(order, lin, 1, now=late)
    assert give_up(order, lin, 0, 1, now=late).cash == 10_00
    with transaction():
        complete(order_id=order, now=late)
    assert (state_of(order), refunded(order)) == ("completed", [10_00])


def test_a_code_that_came_late_has_its_own_time(lin, late_code):
    order, ticket = late_code
    add(ticket, "LATE-0001", now=NOON + 20 * DAY)
    with pytest.raises(WindowOver):
        give_up(order, lin, 0, 1, now=NOON + 27 * DAY)
    assert giveable(order_by_id(order), by=me(lin), now=NOON + 27 * DAY) == {}
    assert give_up(order, lin, now=NOON + 27 * DAY - timedelta(seconds=1)).cash == 10_00


def test_why_nothing_can_be_given_up_is_said_of_what_is_here_too(lin, late_code):
    """The kettle was received: it is not being packed."""
    order, ticket = late_code
    add(ticket, "LATE-0001")
    with transaction():
        db.session.execute(sa.update(PoolCode).where(PoolCode.order_line_id.is_not(None)).values(shown_at=NOON))
    for now, refusal in ((NOON, NotToBeGivenUp), (NOON + 8 * DAY, WindowOver)):
        with pytest.raises(refusal):
            give_up(order, lin, now=now)


def test_what_was_sent_instead_is_not_given_up_by_its_member(lin):
    order = delivered(lin, make_goods(points=100))
    case = take(wish(order, lin, 1, kind="exchange", reason="wrong"))
    with pytest.raises(NothingToGiveUp):
        give_up(case.replacement_id, lin)


def test_while_a_return_is_open_nothing_is_cancelled(lin):
    order = bought(lin, make_goods(points=100), make_goods("Ticket", kind="code", points=50))
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
        ship(order_id=order, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
        confirm_delivery(order_id=order, by=me(lin), now=NOON)
    wish(order, lin, 1)
    with pytest.raises(AlreadyOpen):
        give_up(order, lin, 0, 1)


@pytest.mark.parametrize("counts", [(0, 1), (-1,), (3,), (10**9,)])
def test_pieces_that_are_not_there_cannot_be_given_up(lin, counts):
    order = bought(lin, make_goods(points=100), quantity=2)
    pieces = {order_by_id(order).lines[0].id + place_: count for place_, count in enumerate(counts) if count}
    with pytest.raises(DomainError), transaction():
        cancel(order_id=order, pieces=pieces, reason="other", key=fresh_key(), by=me(lin), now=NOON)
    assert points_of(lin) == (9_800, 0)


@pytest.mark.parametrize(("reason", "key"), [("unavailable", ""), ("defective", ""), ("", ""), ("other", "short")])
def test_what_no_form_of_a_member_sends_is_refused(lin, reason, key):
    order = bought(lin, make_goods(points=100))
    with pytest.raises(InvalidInput):
        give_up(order, lin, reason=reason, key=key or fresh_key())
    assert db.session.scalar(sa.select(sa.func.count(ReturnCase.id))) == 0


def test_an_unpaid_order_is_not_given_up_here(lin):
    order = order_some(lin, make_goods(points=0, cash=10_00))
    with pytest.raises(NothingToGiveUp):
        give_up(order, lin)
    assert state_of(order) == "placed"
