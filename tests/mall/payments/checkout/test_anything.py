"""Anything may happen, in any order, over a bad line. In the end Stripe has kept what our books say."""

from __future__ import annotations

import itertools
import random
from contextlib import suppress
from datetime import timedelta

import pytest

from app.foundation import clock, outbox
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.money import Money
from app.identity.members.queries import member_by_id
from app.mall.orders import actions as orders
from app.mall.orders import jobs as order_jobs
from app.mall.orders.models import Order
from app.mall.payments import actions, jobs
from app.mall.payments.models import Payment, Refund
from tests.conftest import NOON
from tests.mall.orders.shop import order_some, wallet_of
from tests.mall.payments.stripe_world import go_and_pay, kept, kettle, tell

SEEDS = 8
PLACES = ("open", "session", "expire", "refund", "refunds", "one_refund")
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")


class Story:
    """Three orders of one member, and everything that can be done with them."""

    def __init__(self, app, server, member, seed):
        self.app, self.server, self.member = app, server, member
        self.random, self.now = random.Random(seed), NOON
        goods = kettle()
        self.orders = [order_some(member, goods) for _ in range(3)]
        self.given, self.numbers = set(), itertools.count()
        often = [self.go, self.pay, self.report, self.report]
        self.acts = [*often, *often, self.pay_slowly, self.bank, self.refund, self.by_hand, self.bank_refunds]
        self.acts += [self.worker, self.cancel, self.wait, self.fault]

    def step(self):
        act = self.random.choice(self.acts)
        with clock.freeze(self.now):
            with suppress(DomainError):  # Refused: that is an answer.
                act()
            db.session.rollback()

    def some(self, things):
        things = list(things)
        return self.random.choice(things) if things else None

    def go(self):
        self.given.add(go_and_pay(self.app, self.some(self.orders), now=self.now))

    def open_page(self):
        """One whose address somebody has; a page whose making was answered with an error is known to nobody."""
        return self.some(number for number, each in self.server.books.sessions.items() if each["url"] in self.given)

    def pay(self):
        if number := self.open_page():
            self.server.pay(number)

    def pay_slowly(self):
        if number := self.open_page():
            self.server.pay_slowly(number)

    def bank(self):
        thinking = [
            number
            for number, each in self.server.books.sessions.items()
            if each["payment_intent"] and self.server.books.intents[each["payment_intent"]]["status"] == "processing"
        ]
        if number := self.some(thinking):
            self.server.bank_says(number, good=self.random.random() < 0.7)

    def report(self):
        if event := self.some(self.server.books.events):
            assert tell(self.app, event).status_code in (200, 500)

    def refund(self):
        payment = self.some(db.session.query(Payment).filter_by(state="paid"))
        if payment is None:
            return
        number, amount = payment.id, Money(self.random.randrange(1, 5_001), "CNY")
        key = f"return:{next(self.numbers)}"
        with transaction():
            actions.refund(payment_id=number, amount=amount, key=key, reason="return", by=SYSTEM, now=self.now)

    def by_hand(self):
        """Only what our books have left: more would be for a colleague to see to."""
        payment = self.some(db.session.query(Payment).filter_by(state="paid"))
        if payment is not None and payment.intent_id and payment.refundable.amount > 10:
            self.server.refund_by_hand(payment.intent_id, 10)
            assert tell(self.app, self.server.books.events[-1]).status_code in (200, 500)

    def bank_refunds(self):
        waiting = [number for number, each in self.server.books.refunds.items() if each["status"] == "pending"]
        if number := self.some(waiting):
            self.server.bank_refunds(number, self.random.choice(["succeeded", "succeeded", "failed"]))

    def cancel(self):
        with transaction():
            orders.cancel(order_id=self.some(self.orders), by=member_by_id(self.member).actor, now=self.now)

    def wait(self):
        self.now += timedelta(minutes=self.random.choice([1, 7, 20]))

    def fault(self):
        status, after = self.random.choice([0, 500, 503, 429]), self.random.random() < 0.5
        self.server.fail(self.some(PLACES), status, after=after, times=self.random.choice([1, 2]))

    def worker(self):
        order_jobs.close_unpaid(now=self.now)
        outbox.deliver_due(now=self.now)
        jobs.read_reports(now=self.now)
        jobs.settle_payments(now=self.now)
        jobs.settle_refunds(now=self.now)

    def calm_down(self):
        """The line is good again, banks have decided, and the worker has had a day."""
        self.server.books.faults.clear()
        for number, each in self.server.books.sessions.items():
            if each["payment_intent"] and self.server.books.intents[each["payment_intent"]]["status"] == "processing":
                self.server.bank_says(number, good=True)
        for hours in (1, 3, 5, 8, 14, 26, 50):
            self.now += timedelta(hours=hours)
            with clock.freeze(self.now):
                self.worker()
            for number, each in self.server.books.refunds.items():
                if each["status"] == "pending":
                    self.server.bank_refunds(number)
        db.session.rollback()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_the_end_stripe_has_kept_what_our_books_say(app, server, alice, seed):
    story = Story(app, server, alice, seed)
    for _ in range(45):
        story.step()
    story.calm_down()
    assert kept() == server.kept()
    paid = 0
    for number in story.orders:
        order = db.session.get_one(Order, number)
        collected = list(db.session.query(Payment).filter_by(order_id=number))
        wanted = [payment for payment in collected if not any(each.reason == "late" for each in payment.refunds)]
        kept_here = [payment for payment in wanted if payment.state in ("paid", "refunded")]
        assert order.state in ("paid", "closed", "cancelled")
        assert len(kept_here) == (1 if order.state == "paid" else 0), "Paid once, or not at all."
        paid += order.state == "paid"
    assert wallet_of(alice) == (1_000 - 300 * paid, 0)
    assert all(payment.final_at for payment in db.session.query(Payment)), "Nothing is in doubt."
    assert not db.session.query(Refund).filter(Refund.state.in_(("asked", "pending"))).count()
