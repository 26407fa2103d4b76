"""Many want codes at the same instant. PostgreSQL only, as in ``test_redemption``."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.codes import actions
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import mismatches
from app.mall.codes.rules import NewCode
from app.mall.orders import actions as orders
from app.mall.orders import fulfilling, paying
from app.mall.orders.jobs import serve_waiting
from app.mall.orders.queries import order_by_id
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.codes.pools import add, figures, owned, withdraw
from tests.mall.orders.shop import attempt, make_goods, order_some, report, state_of
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, meet_before, refusals, without_lock

pytestmark = ON_POSTGRESQL
MEI = Actor("staff", 7, "Mei")


@pytest.fixture(autouse=True)
def _all_agrees(app):
    yield
    db.session.rollback()
    assert mismatches() == []
    assert verify().findings == []


def handed():
    """Every code that somebody has, with its owner."""
    db.session.rollback()
    return db.session.execute(sa.select(PoolCode.code, PoolCode.member_id).where(PoolCode.member_id.is_not(None))).all()


def test_forty_buyers_of_ten_codes_get_ten_codes_each_once(app):
    latte = make_goods("Latte", points=100, stock=10, kind="code")
    members = [make_member(name=f"Buyer {number}", points=1_000) for number in range(40)]
    tasks = [lambda member=member: order_some(member, latte, address=None) for member in members]
    answers = at_once(app, tasks)
    assert refusals(answers) == 30
    owners = handed()
    assert len({code for code, _owner in owners}) == len({owner for _code, owner in owners}) == 10
    assert figures(latte) == (0, 0, 0)


def test_two_orders_that_are_paid_at_once_have_a_code_each(app, monkeypatch):
    ticket = make_goods("Ticket", points=0, cash=1000, stock=2, kind="code")
    members = [make_member(name=name) for name in ("Lin", "Wei")]
    placed = [order_some(member, ticket, address=None) for member in members]
    payments = [attempt(order) for order in placed]
    meet_after(monkeypatch, paying, "locked", barrier(2))
    at_once(app, [lambda pair=pair: report(*pair) for pair in zip(placed, payments, strict=True)])
    assert [state_of(order) for order in placed] == ["delivered", "delivered"]
    assert sorted(owner for _code, owner in handed()) == sorted(members)
    assert figures(ticket) == (0, 0, 0)


def waiting_order(member, ticket):
    order = order_some(member, ticket, address=None)
    payment = attempt(order)
    withdraw(ticket, "Test")
    report(order, payment)
    assert state_of(order) == "paid"
    return order


@pytest.mark.parametrize("turn", range(3))
def test_codes_added_while_the_regular_job_looks_are_handed_out_once(app, monkeypatch, turn):
    ticket = make_goods("Ticket", points=0, cash=1000, stock=1, kind="code")
    order = waiting_order(make_member(name="Lin"), ticket)
    meet_before(monkeypatch, fulfilling, "locked", barrier(2))
    tasks = [lambda: add(ticket, "N1", "N2"), lambda: orders_served(ticket)]
    at_once(app, tasks if turn else tasks[::-1])
    assert state_of(order) == "delivered"
    assert len(handed()) == 1
    assert figures(ticket) == (1, 1, 0)


def orders_served(_ticket):
    return serve_waiting(now=NOON)


def test_the_same_sheet_sent_twice_at_once_adds_it_once(app, monkeypatch):
    latte = make_goods("Latte", points=100, stock=0, kind="code")
    meet_before(monkeypatch, actions, "_locked", barrier(3))
    assert sorted(at_once(app, [lambda: add(latte, "A1", "A2", "A3")] * 3)) == [0, 0, 3]
    assert figures(latte) == (3, 3, 0)


def give_up(order):
    line = order_by_id(order).lines[0]
    with transaction():
        orders.lock_order(order_id=order)
        orders.give_up(order=order_by_id(order), pieces={line.id: 1}, by=SYSTEM, now=NOON)
    return "given up"


def look(code_id, member):
    with transaction():
        actions.show_code(code_id=code_id, member_id=member, now=NOON)
    return "seen"


@pytest.mark.parametrize("turn", range(6))
def test_looked_at_and_given_back_at_the_same_instant_is_one_of_the_two(app, monkeypatch, turn):
    latte, lin = make_goods("Latte", points=100, stock=1, kind="code"), make_member(name="Lin", points=1_000)
    order = order_some(lin, latte, address=None)
    [code] = owned(lin)
    meeting = barrier(2)
    meet_before(monkeypatch, actions, "lock", meeting)
    tasks = [lambda: give_up(order), lambda: look(code.id, lin)]
    answers = at_once(app, tasks if turn % 2 else tasks[::-1])
    assert refusals(answers) == 1
    [won] = [answer for answer in answers if isinstance(answer, str)]
    left = [each.shown_at for each in owned(lin)]
    assert (won, left, figures(latte)) in [("seen", [NOON], (0, 0, 0)), ("given up", [], (1, 1, 0))]


def test_without_the_locks_both_would_have_their_way_and_the_constraint_is_the_last_line(app, monkeypatch):
    """Locks taken away: both see an unseen code. What stops the second is that what was shown has an owner."""
    latte, lin = make_goods("Latte", points=100, stock=1, kind="code"), make_member(name="Lin", points=1_000)
    order = order_some(lin, latte, address=None)
    [code] = owned(lin)
    meeting = barrier(2)

    def look_slowly():
        with transaction():
            found = db.session.scalars(sa.select(PoolCode).where(PoolCode.id == code.id)).one()
            meeting.wait()
            found.shown_at = NOON
        return "seen"

    with monkeypatch.context() as patch:
        patch.setattr(actions, "lock", without_lock)
        meet_before(patch, actions.sa, "update", meeting)
        answers = at_once(app, [look_slowly, lambda: give_up(order)], refusal=Exception)
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 1


def test_withdrawn_while_it_is_handed_out_is_one_of_the_two(app, monkeypatch):
    ticket, lin = make_goods("Ticket", points=0, cash=1000, stock=1, kind="code"), make_member(name="Lin")
    order = order_some(lin, ticket, address=None)
    payment = attempt(order)
    meeting = barrier(2)
    with monkeypatch.context() as patch:
        meet_before(patch, actions, "_locked", meeting)
        meet_before(patch, fulfilling, "hand_out_codes", meeting)
        at_once(app, [lambda: withdraw(ticket, "Test"), lambda: report(order, payment)])
    assert len(handed()) == (1 if state_of(order) == "delivered" else 0)
    add(ticket, "N1")
    assert state_of(order) == "delivered"
    assert len(handed()) == 1


def test_a_line_is_filled_once_however_many_serve_it(app, monkeypatch):
    ticket = make_goods("Ticket", points=0, cash=1000, stock=1, kind="code")
    order = waiting_order(make_member(name="Lin"), ticket)
    with transaction():  # Without the event: nobody has been served yet.
        monkeypatch.setattr(actions.events, "publish", lambda _event: None)
        codes = [NewCode(line, f"N{line}", None) for line in range(5)]
        actions.add_codes(variant_id=ticket.variant_id, codes=codes, batch="N", by=MEI, now=NOON)
    monkeypatch.undo()

    def serve():
        with transaction():
            return orders.serve_waiting(order_id=order, now=NOON)

    assert at_once(app, [serve] * 5) == [True] * 5
    assert len(handed()) == 1
    assert figures(ticket) == (4, 4, 0)
