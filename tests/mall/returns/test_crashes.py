"""The process is killed while a return is settled, or an order cancelled. Either nothing moved, or the worker brings
the money home."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from app.foundation import outbox
from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from app.mall.orders import actions as orders
from app.mall.orders.actions import confirm_delivery, pack, ship
from app.mall.payments import actions as payments
from app.mall.payments.stripe import Stripe
from app.mall.returns import actions
from app.mall.returns.models import ReturnCase
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.orders.shop import Goods, order_some, state_of, stock_of, wallet_of
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
KEY = "a-key-of-the-form-1"


@dataclass(frozen=True)
class Story:
    """A kettle for 300 points and ¥50 of Stripe's money is about to come back."""

    member: int
    goods: Goods
    order: int
    case: int | None = None


@pytest.fixture
def paid(app, server):
    """It is not packed yet."""
    member, goods = make_member(name="Lin", points=1_000), kettle()
    order = order_some(member, goods)
    go_and_pay(app, order)
    tell(app, server.pay(server.only_session()))
    return Story(member, goods, order)


@pytest.fixture
def story(paid):
    """It was received, and is sent back."""
    with transaction():
        pack(order_id=paid.order, by=STAFF, now=NOON)
        ship(order_id=paid.order, carrier="SF", tracking_number="1", by=STAFF, now=NOON)
        confirm_delivery(order_id=paid.order, by=me(paid.member), now=NOON)
    return replace(paid, case=wish(paid.order, paid.member, 1))


def settle(case):
    with transaction():
        actions.settle(case_id=case, back_on_shelf=True, by=STAFF, now=NOON)


def settle_and_deliver(case):
    settle(case)
    outbox.deliver_due(now=NOON)


def cancel(story):
    with transaction():
        actions.cancel(order_id=story.order, reason="unwanted", key=KEY, by=me(story.member), now=NOON)


def cancel_and_deliver(story):
    cancel(story)
    outbox.deliver_due(now=NOON)


def home(server, story):
    db.session.rollback()
    assert db.session.scalars(sa.select(ReturnCase.state)).all() == ["settled"]
    assert (wallet_of(story.member), stock_of(story.goods)) == ((1_000, 0), 10)
    assert [amount for _reason, amount, _state in refunds()] == [5_000]
    assert [refund["amount"] for refund in server.books.refunds.values()] == [5_000]
    assert kept() == server.kept() == 0
    assert verify().clean


ON_THE_WAY = pytest.mark.parametrize(
    "point",
    [
        (outbox, "deliver_due", "before"),
        (Stripe, "refund", "before"),
        (Stripe, "refund", "after"),
        (payments, "record_refund", "after"),
    ],
    ids=["after the commit", "before Stripe is told", "after Stripe was told", "before its answer is committed"],
)


@ON_THE_WAY
def test_killed_after_settling_the_worker_pays_back_once(app, server, story, point):
    killed(app, lambda: settle_and_deliver(story.case), point)
    the_worker_comes_back(app)
    home(server, story)


@ON_THE_WAY
def test_killed_after_cancelling_the_worker_pays_back_once(app, server, paid, point):
    killed(app, lambda: cancel_and_deliver(paid), point)
    the_worker_comes_back(app)
    cancel(paid)  # The member sends the form again, having seen no answer.
    the_worker_comes_back(app)
    home(server, paid)
    assert state_of(paid.order) == "cancelled"


@pytest.mark.parametrize("point", [(payments, "refund", "after"), (actions, "note_by_staff", "before")])
def test_killed_before_the_commit_nothing_moved_and_it_is_settled_again(app, server, story, point):
    killed(app, lambda: settle_and_deliver(story.case), point)
    db.session.rollback()
    assert db.session.get_one(ReturnCase, story.case).state == "requested"
    assert (wallet_of(story.member), stock_of(story.goods), refunds()) == ((700, 0), 9, [])
    settle(story.case)
    the_worker_comes_back(app)
    home(server, story)


@pytest.mark.parametrize("point", [(payments, "refund", "after"), (orders, "give_up", "after")])
def test_killed_before_the_commit_nothing_is_cancelled_and_it_is_asked_for_again(app, server, paid, point):
    killed(app, lambda: cancel_and_deliver(paid), point)
    db.session.rollback()
    assert db.session.scalars(sa.select(ReturnCase)).all() == []
    assert (state_of(paid.order), wallet_of(paid.member), stock_of(paid.goods)) == ("paid", (700, 0), 9)
    cancel(paid)
    the_worker_comes_back(app)
    home(server, paid)
