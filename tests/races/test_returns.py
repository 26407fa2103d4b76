"""Two decide about one return at the same instant. PostgreSQL only, as in ``test_redemption``.

The order's lock is first taken away (the doc string says so), to prove that the test would notice.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.orders import coming_back, fulfilling, steps
from app.mall.orders.jobs import complete_orders
from app.mall.orders.models import Order
from app.mall.orders.queries import order_by_id
from app.mall.returns import actions
from app.mall.returns.models import ReturnCase
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import fresh_key, make_goods, state_of, stock_of
from tests.mall.returns.parcels import DAY, delivered, me, points_of, refunded, wish
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, meet_before, refusals, without_lock

pytestmark = ON_POSTGRESQL
MEI, ARTHUR = Actor("staff", 1, "Mei"), Actor("staff", 2, "Arthur")


@pytest.fixture
def lin(app):
    return make_member(name="Lin", points=10_000)


@pytest.fixture
def kettle(app):
    return make_goods("Kettle", points=0, cash=100_00)


@pytest.fixture
def order(lin, kettle):
    return delivered(lin, kettle, offset=3_000)


@pytest.fixture
def case(lin, order):
    return wish(order, lin, 1)


@pytest.fixture
def story(lin, case, order, kettle):
    return lin, case, order, kettle


def settle(case, by):
    with transaction():
        actions.settle(case_id=case, back_on_shelf=True, by=by, now=NOON)
    return "settled"


def withdraw(case, member):
    with transaction():
        actions.withdraw(case_id=case, by=me(member), now=NOON)
    return "withdrawn"


def case_state(case):
    db.session.rollback()
    return db.session.scalars(sa.select(ReturnCase.state).where(ReturnCase.id == case)).one()


def test_without_the_lock_two_would_settle_and_the_step_is_the_last_line(app, lin, case, order, monkeypatch):
    """Locks taken away: both read an open case. What stops the second is that each step is reached once."""
    monkeypatch.setattr(actions, "lock", without_lock)
    monkeypatch.setattr(steps, "lock", without_lock)
    meet_after(monkeypatch, actions, "_locked", barrier(2))
    answers = at_once(app, [lambda: settle(case, MEI), lambda: settle(case, ARTHUR)], refusal=Exception)
    assert sorted(type(answer).__name__ for answer in answers) != ["StepRefused", "str"]
    assert refunded(order) == [70_00]
    assert verify().clean


@pytest.mark.parametrize("turn", range(3))
def test_two_who_settle_at_once_settle_once(app, story, monkeypatch, turn):
    lin, case, order, kettle = story
    meet_before(monkeypatch, actions, "_locked", barrier(2))
    answers = at_once(app, [lambda: settle(case, MEI), lambda: settle(case, ARTHUR)])
    assert refusals(answers) == 1
    assert (refunded(order), points_of(lin), stock_of(kettle)) == ([70_00], (10_000, 0), 10)
    assert order_by_id(order).lines[0].returned == 1
    assert verify().clean


@pytest.mark.parametrize("turn", range(4))
def test_withdrawn_and_settled_at_once_is_one_of_the_two(app, story, monkeypatch, turn):
    lin, case, order, kettle = story
    meet_before(monkeypatch, actions, "_locked", barrier(2))
    tasks = [lambda: settle(case, MEI), lambda: withdraw(case, lin)]
    answers = at_once(app, tasks if turn % 2 else tasks[::-1])
    assert refusals(answers) == 1
    state = case_state(case)
    assert state in answers
    moved = ([70_00], (10_000, 0), 10) if state == "settled" else ([], (7_000, 70), 9)
    assert (refunded(order), points_of(lin), stock_of(kettle)) == moved
    assert not order_by_id(order).return_open
    assert verify().clean


@pytest.mark.parametrize("turn", range(4))
def test_asked_for_and_completed_at_the_same_instant_is_one_of_the_two(app, lin, order, monkeypatch, turn):
    """The member's page and the nightly job stand at the same order, in the last moment of the window."""
    last = NOON + 7 * DAY
    pieces = {line.id: 1 for line in order_by_id(order).lines}

    def ask():
        with transaction():
            actions.ask(
                order_id=order,
                kind="return",
                pieces=pieces,
                reason="unwanted",
                key=fresh_key(),
                by=me(lin),
                now=last - DAY / 86_400,
            )
        return "asked"

    meeting = barrier(2)
    for room in (coming_back, fulfilling):
        meet_before(monkeypatch, room, "locked", meeting)
    tasks = [ask, lambda: complete_orders(now=last)]
    at_once(app, tasks if turn % 2 else tasks[::-1])
    db.session.rollback()
    open_ = db.session.scalar(sa.select(sa.func.count(ReturnCase.id)).where(ReturnCase.state == "requested"))
    assert (state_of(order), open_) in [("delivered", 1), ("completed", 0)]
    assert db.session.get_one(Order, order).return_open is bool(open_)


def test_two_who_ask_at_once_have_one_case(app, lin, order, monkeypatch):
    pieces = {line.id: 1 for line in order_by_id(order).lines}
    keys = iter([fresh_key(), fresh_key()])

    def ask(key):
        with transaction():
            wanted = {"kind": "return", "pieces": pieces, "reason": "other", "key": key}
            return actions.ask(order_id=order, **wanted, by=me(lin), now=NOON).id

    meet_before(monkeypatch, actions, "locked_order", barrier(2))
    answers = at_once(app, [lambda key=key: ask(key) for key in keys])
    assert refusals(answers) == 1
    assert db.session.scalar(sa.select(sa.func.count(ReturnCase.id))) == 1


def test_the_same_form_five_times_at_once_is_one_case(app, lin, order, monkeypatch):
    pieces, key = {line.id: 1 for line in order_by_id(order).lines}, fresh_key()

    def ask():
        with transaction():
            wanted = {"kind": "return", "pieces": pieces, "reason": "other", "key": key}
            return actions.ask(order_id=order, **wanted, by=me(lin), now=NOON).id

    meet_before(monkeypatch, actions, "locked_order", barrier(5))
    assert len(set(at_once(app, [ask] * 5))) == 1
