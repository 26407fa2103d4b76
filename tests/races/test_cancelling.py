"""A paid order is cancelled while others pack it, send it, look at its code or report a payment. PostgreSQL only.

The order's lock is first taken away (the doc string says so), to prove that the tests would notice.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.codes import actions as codes
from app.mall.codes.models import PoolCode
from app.mall.orders import coming_back, fulfilling, paying, sending, steps
from app.mall.orders.queries import order_by_id
from app.mall.returns import cancelling
from app.mall.returns.models import ReturnCase
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import attempt, fresh_key, make_goods, order_some, report, state_of, stock_of
from tests.mall.returns.parcels import STAFF, bought, me, points_of, refunded
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, meet_before, refusals, without_lock

pytestmark = ON_POSTGRESQL
ROUNDS = range(4)
EVERYTHING, NOTHING = ([70_00], (10_000, 0), 10), ([], (7_000, 70), 9)


@pytest.fixture(autouse=True)
def books_stay_clean(app):
    yield
    db.session.rollback()
    assert verify().findings == []


@pytest.fixture
def lin(app):
    return make_member(name="Lin", points=10_000)


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=100_00)


@pytest.fixture
def order(lin, kettle):
    """¥70 and 3,000 points were paid for it."""
    return bought(lin, kettle, offset=3_000)


@pytest.fixture
def story(lin, order, kettle):
    return lin, order, kettle


@pytest.fixture
def race(app, monkeypatch):
    """Two who stand before the same order's lock."""

    def run(turn, *tasks):
        meeting = barrier(2)
        for room in (coming_back, fulfilling, sending, paying):
            meet_before(monkeypatch, room, "locked", meeting)
        return at_once(app, tasks if turn % 2 else tasks[::-1])

    return run


def cancel(order, by, *, key=None, reason="other"):
    with transaction():
        cancelling.cancel(order_id=order, reason=reason, key=key or fresh_key(), by=by, now=NOON)
    return "cancelled"


def pack(order):
    with transaction():
        fulfilling.pack(order_id=order, by=STAFF, now=NOON)
    return "packed"


def ship(order):
    with transaction():
        sending.ship(order_id=order, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
    return "shipped"


def moved(lin, order, kettle):
    return refunded(order), points_of(lin), stock_of(kettle)


def test_without_the_lock_two_would_give_back_and_the_line_is_the_last_line(app, lin, order, monkeypatch):
    """Locks taken away: both see a whole line. What stops the second is that it cannot be cancelled twice."""
    monkeypatch.setattr(steps, "lock", without_lock)
    meet_after(monkeypatch, cancelling, "giveable", barrier(2))
    answers = at_once(app, [lambda: cancel(order, me(lin)), lambda: cancel(order, STAFF)], refusal=Exception)
    assert sorted(type(answer).__name__ for answer in answers) != ["NothingToGiveUp", "str"]
    assert refunded(order) == [70_00]


@pytest.mark.parametrize("turn", ROUNDS)
def test_cancelled_and_packed_at_once_is_one_of_the_two(lin, order, kettle, race, turn):
    answers = race(turn, lambda: cancel(order, me(lin)), lambda: pack(order))
    assert refusals(answers) == 1
    assert state_of(order) in answers
    assert moved(lin, order, kettle) == (EVERYTHING if state_of(order) == "cancelled" else NOTHING)


@pytest.mark.parametrize("turn", ROUNDS)
def test_cancelled_by_the_desk_and_sent_at_once_is_one_of_the_two(lin, order, kettle, race, turn):
    with transaction():
        steps.locked(order).state = "packed"
    answers = race(turn, lambda: cancel(order, STAFF, reason="unavailable"), lambda: ship(order))
    assert refusals(answers) == 1
    assert state_of(order) in answers
    assert moved(lin, order, kettle) == (EVERYTHING if state_of(order) == "cancelled" else NOTHING)


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_code_is_looked_at_or_given_back_and_never_both(app, lin, monkeypatch, turn):
    ticket = make_goods("Ticket", kind="code", points=100)
    order = bought(lin, ticket)
    [line] = order_by_id(order).lines
    meeting = barrier(2)
    meet_before(monkeypatch, codes, "take_back", meeting)

    code = db.session.scalars(sa.select(PoolCode.id).where(PoolCode.order_line_id == line.id)).one()

    def look():
        meeting.wait()
        with transaction():
            codes.show_code(code_id=code, member_id=lin, now=NOON)
        return "seen"

    tasks = [lambda: cancel(order, me(lin)), look]
    answers = at_once(app, tasks if turn % 2 else tasks[::-1])
    given_back = "cancelled" in answers
    assert given_back is ("seen" not in answers)
    assert refusals(answers) == 1
    assert (points_of(lin), stock_of(ticket)) == (((10_000, 0), 10) if given_back else ((9_900, 0), 9))
    shown = db.session.scalar(sa.select(sa.func.count()).where(PoolCode.shown_at.is_not(None)))
    assert shown == (0 if given_back else 1)


@pytest.mark.parametrize("keys", [1, 5])
def test_cancelled_five_times_at_once_it_goes_back_once(app, story, monkeypatch, keys):
    lin, order, kettle = story
    sent = [fresh_key() for _ in range(keys)]
    meet_before(monkeypatch, coming_back, "locked", barrier(5))
    answers = at_once(app, [lambda key=sent[n % keys]: cancel(order, me(lin), key=key) for n in range(5)])
    assert refusals(answers) == keys - 1
    assert db.session.scalar(sa.select(sa.func.count(ReturnCase.id))) == 1
    assert moved(lin, order, kettle) == EVERYTHING


@pytest.mark.parametrize("turn", ROUNDS)
def test_paid_and_cancelled_at_once_the_money_is_kept_with_the_order_or_goes_back(lin, kettle, race, turn):
    order = order_some(lin, kettle)
    payment = attempt(order)
    answers = race(turn, lambda: report(order, payment), lambda: cancel(order, me(lin)))
    gone = "cancelled" in answers
    assert state_of(order) == ("cancelled" if gone else "paid")
    assert moved(lin, order, kettle) == (([100_00], (10_000, 0), 10) if gone else ([], (10_000, 100), 9))


@pytest.mark.parametrize("turn", ROUNDS)
def test_a_second_payment_that_comes_while_it_is_cancelled_goes_back_too(lin, kettle, race, turn):
    order = order_some(lin, kettle)
    first = attempt(order)
    report(order, first, "failed")
    second = attempt(order)
    report(order, second)
    race(turn, lambda: report(order, first), lambda: cancel(order, me(lin)))
    assert state_of(order) == "cancelled"
    assert moved(lin, order, kettle) == ([100_00, 100_00], (10_000, 0), 10)
