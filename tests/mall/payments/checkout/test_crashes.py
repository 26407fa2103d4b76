"""The process is killed between any two steps. Whatever was said to Stripe by then, the worker brings it to an end.

The child is a copy of this process; where its story says so it kills itself, without any chance to tidy up.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.foundation import clock, outbox
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.mall.orders import jobs as order_jobs
from app.mall.payments import actions, jobs, reports, stripe
from app.mall.payments.stripe import Stripe
from tests.conftest import NOON
from tests.mall.orders.shop import Goods, order_some, payments_of, state_of, stock_of, wallet_of
from tests.mall.payments.stripe_world import go_and_pay, kept, kettle, only_payment, refunds, tell

MOMENTS = [timedelta(minutes=minutes) for minutes in (3, 10, 31, 36, 45, 130)]


@dataclass(frozen=True)
class Story:
    """Who orders what."""

    member: int
    goods: Goods
    order: int


@pytest.fixture
def story(alice):
    goods = kettle()
    return Story(alice, goods, order_some(alice, goods))


def die(*_args, **_names):
    os.kill(os.getpid(), signal.SIGKILL)


def killed(app, act, *points):
    """Run ``act`` in a child that is killed at the first of ``points``: (owner, name, 'before' or 'after')."""
    db.session.rollback()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        db.engine.dispose(close=False)
        app.extensions.pop("stripe", None)  # Its open lines belong to the parent.
        for owner, name, when in points:
            setattr(owner, name, die if when == "before" else _then_die(getattr(owner, name)))
        try:
            act()
        finally:
            os._exit(3)  # It should not have come this far.
    _child, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"The child was not killed: {status}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def _then_die(original):
    def act(*args, **names):
        original(*args, **names)
        die()

    return act


def the_worker_comes_back(app):
    """Every job that has to do with orders and payments, over some hours, after a restart."""
    for moment in MOMENTS:
        now = NOON + moment
        with clock.freeze(now):
            order_jobs.close_unpaid(now=now)
            outbox.deliver_due(now=now)
            jobs.read_reports(now=now)
            jobs.settle_payments(now=now)
            jobs.settle_refunds(now=now)
    db.session.rollback()


def ended_unpaid(server, story):
    assert state_of(story.order) == "closed"
    assert (wallet_of(story.member), stock_of(story.goods)) == ((1_000, 0), 10)
    assert kept() == server.kept() == 0
    assert not any(session["status"] == "open" for session in _known(server)), "Nobody can pay any more."
    assert only_payment().final_at is not None


def _known(server):
    """The pages whose address we ever gave away."""
    known = only_payment().session_id
    return [session for number, session in server.books.sessions.items() if number == known]


def ended_paid(server, story):
    assert state_of(story.order) == "paid"
    assert (wallet_of(story.member), stock_of(story.goods)) == ((700, 0), 9)
    assert payments_of(story.order) == [("paid", 0)]
    assert kept() == server.kept() == 5_000


@pytest.mark.parametrize(
    "point",
    [
        (Stripe, "open_payment", "before"),
        (Stripe, "_hand_over", "before"),
        (actions, "note_session", "after"),
        (Stripe, "_hand_over", "after"),
    ],
    ids=["before the call", "after Stripe has made the page", "before we have written it down", "before the redirect"],
)
def test_killed_on_the_way_to_the_page(app, server, story, point):
    killed(app, lambda: go_and_pay(app, story.order), point)
    the_worker_comes_back(app)
    ended_unpaid(server, story)


@pytest.mark.parametrize(
    "point", [(Stripe, "open_payment", "before"), (Stripe, "_hand_over", "before"), (Stripe, "_hand_over", "after")]
)
def test_killed_on_the_way_to_the_page_and_tried_again(app, server, story, point):
    killed(app, lambda: go_and_pay(app, story.order), point)
    assert go_and_pay(app, story.order).startswith(server.url)
    assert len(server.books.sessions) == 1
    server.pay(server.only_session())
    the_worker_comes_back(app)
    ended_paid(server, story)


@pytest.mark.parametrize(
    "point",
    [
        (reports, "store", "before"),
        (reports, "store", "after"),
        (Stripe, "session", "after"),
        (reports, "_claim", "after"),
        (stripe, "record_session", "after"),
        (actions, "settle", "after"),
        (reports, "process", "after"),
    ],
    ids=lambda point: f"{point[2]} {point[1]}",
)
def test_killed_while_a_report_is_read(app, server, story, point):
    go_and_pay(app, story.order)
    event = server.pay(server.only_session())
    killed(app, lambda: tell(app, event), point)
    the_worker_comes_back(app)
    ended_paid(server, story)


@pytest.mark.parametrize(
    "point",
    [(Stripe, "close_payment", "before"), (Stripe, "_record", "before"), (Stripe, "close_payment", "after")],
    ids=lambda point: f"{point[2]} {point[1]}",
)
def test_killed_while_the_page_is_closed(app, server, story, point):
    go_and_pay(app, story.order)
    late = NOON + timedelta(minutes=31)
    order_jobs.close_unpaid(now=late)
    killed(app, lambda: outbox.deliver_due(now=late), point)
    the_worker_comes_back(app)
    ended_unpaid(server, story)


@pytest.mark.parametrize(
    "point",
    [
        (Stripe, "refund", "before"),
        (Stripe, "refund", "after"),
        (actions, "record_refund", "after"),
        (jobs, "carry_out", "after"),
    ],
    ids=lambda point: f"{point[2]} {point[1]}",
)
def test_killed_while_money_goes_back(app, server, story, point):
    go_and_pay(app, story.order)
    event = server.pay(server.only_session())
    late = NOON + timedelta(minutes=31)
    order_jobs.close_unpaid(now=late)
    tell(app, event)
    killed(app, lambda: outbox.deliver_due(now=late), point)
    the_worker_comes_back(app)
    assert refunds() == [("late", 5_000, "pending")]
    assert [refund["amount"] for refund in server.books.refunds.values()] == [5_000]
    ended_unpaid(server, story)


@pytest.mark.parametrize("point", [(Stripe, "refund", "before"), (Stripe, "refund", "after")])
def test_killed_in_the_middle_of_several_parts(app, server, story, point):
    go_and_pay(app, story.order)
    tell(app, server.pay(server.only_session()))
    for number, amount in enumerate((1_000, 2_500)):
        with transaction():
            actions.refund(
                payment_id=only_payment().id,
                amount=Money(amount, "CNY"),
                key=f"return:{number}",
                reason="return",
                by=actions.SYSTEM,
                now=NOON,
            )
    killed(app, lambda: outbox.deliver_due(now=NOON), point)
    the_worker_comes_back(app)
    assert sorted(refund["amount"] for refund in server.books.refunds.values()) == [1_000, 2_500]
    assert kept() == server.kept() == 1_500
    assert state_of(story.order) == "paid"
