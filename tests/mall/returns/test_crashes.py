"""The process is killed while a return is settled. Either nothing moved, or the worker brings the money home."""

from __future__ import annotations

import pytest

from app.foundation import outbox
from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.orders.actions import confirm_delivery, pack, ship
from app.mall.payments import actions as payments
from app.mall.payments.stripe import Stripe
from app.mall.returns import actions
from app.mall.returns.models import ReturnCase
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import order_some, stock_of, wallet_of
from tests.mall.payments.checkout.test_crashes import killed, the_worker_comes_back
from tests.mall.payments.stripe_world import (
    app,
    go_and_pay,
    kept,
    kettle,
    refunds,
    server,
    stripe_application,
    stripe_at_home,
    tell,
)
from tests.mall.returns.parcels import STAFF, me, wish

__all__ = ["app", "server", "stripe_application", "stripe_at_home"]


@pytest.fixture
def story(app, server):
    """A kettle for 300 points and ¥50 of Stripe's money is about to come back: (member, goods, case)."""
    member, goods = make_member(name="Lin", points=1_000), kettle()
    order = order_some(member, goods)
    go_and_pay(app, order)
    tell(app, server.pay(server.only_session()))
    with transaction():
        pack(order_id=order, by=STAFF, now=NOON)
        ship(order_id=order, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
        confirm_delivery(order_id=order, by=me(member), now=NOON)
    return member, goods, wish(order, member, 1)


def settle(case):
    with transaction():
        actions.settle(case_id=case, back_on_shelf=True, by=STAFF, now=NOON)


def settle_and_deliver(case):
    settle(case)
    outbox.deliver_due(now=NOON)


def home(server, story):
    member, goods, case = story
    db.session.rollback()
    assert db.session.get_one(ReturnCase, case).state == "settled"
    assert (wallet_of(member), stock_of(goods)) == ((1_000, 0), 10)
    assert [amount for _reason, amount, _state in refunds()] == [5_000]
    assert [refund["amount"] for refund in server.books.refunds.values()] == [5_000]
    assert kept() == server.kept() == 0
    assert verify().clean


@pytest.mark.parametrize(
    "point",
    [
        (outbox, "deliver_due", "before"),
        (Stripe, "refund", "before"),
        (Stripe, "refund", "after"),
        (payments, "record_refund", "after"),
    ],
    ids=["after the commit", "before Stripe is told", "after Stripe was told", "before its answer is committed"],
)
def test_killed_after_settling_the_worker_pays_back_once(app, server, story, point):
    killed(app, lambda: settle_and_deliver(story[2]), point)
    the_worker_comes_back(app)
    home(server, story)


@pytest.mark.parametrize("point", [(payments, "refund", "after"), (actions, "note_by_staff", "before")])
def test_killed_before_the_commit_nothing_moved_and_it_is_settled_again(app, server, story, point):
    killed(app, lambda: settle_and_deliver(story[2]), point)
    member, goods, case = story
    db.session.rollback()
    assert db.session.get_one(ReturnCase, case).state == "requested"
    assert (wallet_of(member), stock_of(goods), refunds()) == ((700, 0), 9, [])
    settle(case)
    the_worker_comes_back(app)
    home(server, story)
