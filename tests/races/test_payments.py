"""Stripe, members and the worker at the same instant. PostgreSQL only, as in ``test_redemption``.

Each protection is first taken away (the doc string says which), to prove that the test would notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.loyalty.ledger.verify import verify
from app.mall.orders import jobs as order_jobs
from app.mall.orders import paying
from app.mall.payments import actions, jobs, reports, stripe
from app.mall.payments.errors import RefundTooLarge
from app.mall.payments.stripe import Stripe
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import Goods, order_some, payments_of, steps_of, stock_of, wallet_of
from tests.mall.payments.stripe_server import StripeServer
from tests.mall.payments.stripe_world import (
    app,
    go_and_pay,
    kept,
    kettle,
    only_payment,
    refunds,
    server,
    stripe_application,
    stripe_at_home,
    tell,
    worker,
)
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after, meet_before, without_lock

__all__ = ["app", "server", "stripe_application", "stripe_at_home"]
pytestmark = ON_POSTGRESQL
ROUNDS = range(4)
LATE = NOON + timedelta(minutes=31)


@pytest.fixture(autouse=True)
def books_stay_clean(app):
    yield
    db.session.rollback()
    assert verify().findings == []


@dataclass(frozen=True)
class Story:
    """Who orders what, and is about to pay at whose Stripe."""

    app: Flask
    server: StripeServer
    member: int
    goods: Goods
    order: int

    def tell(self, event):
        return tell(self.app, event).status_code


@pytest.fixture
def story(app, server):
    member, goods = make_member(points=1_000), kettle()
    return Story(app, server, member, goods, order_some(member, goods))


@pytest.fixture
def paid(app, server, story):
    """Paid at Stripe; the report is on its way."""
    go_and_pay(app, story.order)
    return server.pay(server.only_session())


# --- one report, five deliveries --------------------------------------------------------------------------


@pytest.fixture
def bookings(monkeypatch):
    """How often something was booked."""
    counted, book = [], stripe.record_session
    monkeypatch.setattr(stripe, "record_session", lambda facts, *, now: (counted.append(now), book(facts, now=now)))
    return counted


def test_without_the_claim_a_report_is_booked_by_everybody(story, paid, bookings, monkeypatch):
    """The claim taken away. The order's lock still keeps the points right; the work is done five times."""
    monkeypatch.setattr(reports, "_claim", lambda *_args, **_names: True)
    meet_after(monkeypatch, Stripe, "session", barrier(5))
    at_once(story.app, [lambda: story.tell(paid)] * 5)
    assert len(bookings) == 5
    assert wallet_of(story.member) == (700, 0)


def test_the_same_report_five_times_at_once_is_booked_once(story, paid, bookings, monkeypatch):
    meet_after(monkeypatch, Stripe, "session", barrier(5))
    answers = at_once(story.app, [lambda: story.tell(paid)] * 5)
    assert answers == [200] * 5
    assert len(bookings) == 1
    assert steps_of(story.order) == ["placed", "paid"]
    assert wallet_of(story.member) == (700, 0)
    assert kept() == story.server.kept() == 5_000


# --- paid while the order is being closed --------------------------------------------------------------------


@pytest.mark.parametrize("turn", ROUNDS)
def test_paid_and_closed_at_the_same_instant_is_paid_or_paid_back(story, paid, monkeypatch, turn):
    meet_before(monkeypatch, paying, "locked", barrier(2))
    acts = [lambda: story.tell(paid), lambda: order_jobs.close_unpaid(now=LATE)]
    at_once(story.app, acts if turn % 2 else acts[::-1])
    worker(LATE)
    db.session.rollback()
    if "paid" in steps_of(story.order):
        assert steps_of(story.order) == ["placed", "paid"]
        assert (wallet_of(story.member), stock_of(story.goods), refunds()) == ((700, 0), 9, [])
        assert kept() == story.server.kept() == 5_000
    else:
        assert steps_of(story.order) == ["placed", "closed"]
        assert (wallet_of(story.member), stock_of(story.goods)) == ((1_000, 0), 10)
        assert refunds() == [("late", 5_000, "pending")]
        assert kept() == story.server.kept() == 0


@pytest.mark.parametrize("turn", ROUNDS)
def test_paid_while_the_page_is_being_closed_is_never_lost(story, monkeypatch, turn):
    """The member presses at Stripe while the worker asks Stripe to close the page, and no report ever comes."""
    go_and_pay(story.app, story.order)
    order_jobs.close_unpaid(now=LATE)
    number = story.server.only_session()
    start = barrier(2)

    def press():
        start.wait()
        with story.server.lock:
            return story.server.books.sessions[number]["status"] == "open" and bool(story.server.pay(number))

    def close():
        start.wait()
        worker(LATE)

    pressed, _none = at_once(story.app, [press, close])
    worker(LATE)
    assert refunds() == ([("late", 5_000, "pending")] if pressed else [])
    assert kept() == story.server.kept() == 0
    assert wallet_of(story.member) == (1_000, 0)


def test_a_report_the_job_and_the_returning_member_at_once(story, paid, bookings, monkeypatch):
    meet_after(monkeypatch, Stripe, "session", barrier(3))
    reference = only_payment().reference
    at_once(
        story.app,
        [
            lambda: story.tell(paid),
            lambda: jobs.settle_payments(now=NOON + timedelta(minutes=3)),
            lambda: stripe._of_this_application().look(reference=reference),
        ],
    )
    assert len(bookings) == 3
    assert steps_of(story.order) == ["placed", "paid"]
    assert wallet_of(story.member) == (700, 0)
    assert kept() == story.server.kept() == 5_000


# --- opening ------------------------------------------------------------------------------------------------


def test_five_clicks_at_once_open_one_page(app, server, story):
    answers = at_once(app, [lambda: go_and_pay(app, story.order)] * 5)
    opened = {answer for answer in answers if isinstance(answer, str)}
    assert len(server.books.sessions) == 1
    assert opened == {server.books.sessions[server.only_session()]["url"]}
    assert payments_of(story.order) == [("open", 0)]


# --- giving back ---------------------------------------------------------------------------------------------


def give_back(payment, amount, key):
    with transaction():
        made = actions.refund(
            payment_id=payment, amount=Money(amount, "CNY"), key=key, reason="return", by=SYSTEM, now=NOON
        )
        return made.id


@pytest.fixture
def payment(app, paid):
    tell(app, paid)
    return only_payment().id


def test_without_the_lock_the_constraint_refuses_the_second_refund(app, payment, monkeypatch):
    """The payment's lock taken away: both see ¥50 left, and the database is the last line."""
    monkeypatch.setattr(actions, "lock", without_lock)
    meet_after(monkeypatch, actions, "_locked", barrier(2))
    acts = [lambda: give_back(payment, 3_000, "return:1"), lambda: give_back(payment, 3_000, "return:2")]
    answers = at_once(app, acts, refusal=IntegrityError)
    assert sum(isinstance(answer, IntegrityError) for answer in answers) == 1
    assert refunds() == [("return", 3_000, "asked")]


def test_two_refunds_at_once_never_give_more_than_came(app, server, payment, monkeypatch):
    acts = [lambda: give_back(payment, 3_000, "return:1"), lambda: give_back(payment, 3_000, "return:2")]
    with monkeypatch.context() as together:
        meet_before(together, actions, "_locked", barrier(2))
        answers = at_once(app, acts)
    assert sum(isinstance(answer, RefundTooLarge) for answer in answers) == 1
    worker(NOON)
    assert refunds() == [("return", 3_000, "pending")]
    assert kept() == server.kept() == 2_000


def test_one_refund_asked_for_five_times_at_once_is_one(app, payment, monkeypatch):
    meet_before(monkeypatch, actions, "_locked", barrier(5))
    answers = at_once(app, [lambda: give_back(payment, 1_000, "return:1")] * 5)
    assert len(set(answers)) == 1
    assert refunds() == [("return", 1_000, "asked")]


def two_workers(app, payment, monkeypatch):
    refund = give_back(payment, 2_000, "return:1")
    meet_after(monkeypatch, Stripe, "_refund_of", barrier(2))
    at_once(app, [lambda: jobs.carry_out(refund, now=NOON)] * 2)


def test_without_the_key_two_workers_give_back_twice(app, server, payment, monkeypatch):
    """A Stripe that forgets idempotency keys. Both workers have looked, and found nothing."""
    server.forgetful = True
    two_workers(app, payment, monkeypatch)
    assert [refund["amount"] for refund in server.books.refunds.values()] == [2_000, 2_000]


def test_two_workers_give_back_once(app, server, payment, monkeypatch):
    two_workers(app, payment, monkeypatch)
    assert [refund["amount"] for refund in server.books.refunds.values()] == [2_000]
    assert refunds() == [("return", 2_000, "pending")]
    assert kept() == server.kept() == 3_000
