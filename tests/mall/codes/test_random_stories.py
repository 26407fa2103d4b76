"""Whatever happens in whatever order, the stock is what the pool says, and no code is anybody else's as well."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.mall.codes import jobs
from app.mall.codes.errors import NothingFree
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import mismatches
from app.mall.orders import actions as orders
from app.mall.orders.jobs import close_unpaid, serve_waiting
from app.mall.orders.queries import order_by_id
from tests.conftest import NOON
from tests.factories import make_member
from tests.mall.codes.pools import add, owned, show, withdraw
from tests.mall.orders.shop import attempt, make_goods, order_some, report, state_of

STEPS = 60


class World:
    def __init__(self, seed: int) -> None:
        self.random, self.now, self.number = Random(seed), NOON, 0
        self.goods = [
            make_goods("Latte", points=10, stock=2, kind="code"),
            make_goods("Ticket", points=10, cash=1000, stock=2, kind="code"),
        ]
        self.members = [make_member(name=name, points=1_000) for name in ("Lin", "Wei")]
        self.placed: list[tuple[int, int]] = []  # (order, payment)
        self.batches = ["Test"]
        self.seen: dict[int, int] = {}  # Code → who looked at it.

    def step(self) -> None:
        often = (self.order, self.pay, self.fill, self.look, self.cancel, self.give_up)
        self.random.choice((*often * 2, self.order, self.order, self.empty, self.wait))()

    def order(self) -> None:
        goods, member = self.random.choice((self.goods[0], *self.goods[1:] * 3)), self.random.choice(self.members)
        order = order_some(member, goods, quantity=self.random.randint(1, 2), address=None, now=self.now)
        if goods is self.goods[1]:
            self.placed.append((order, attempt(order, now=self.now)))
        else:
            self.placed.append((order, 0))

    def in_state(self, *states: str) -> tuple[int, int]:
        """One of the orders that stand there."""
        return self.random.choice([each for each in self.placed if state_of(each[0]) in states])

    def pay(self) -> None:
        report(*self.in_state("placed"), now=self.now)

    def fill(self) -> None:
        self.number += 1
        name = f"B{self.number}"
        last_day = clock.local_date(self.now, clock.programme_zone()) + timedelta(days=self.random.randint(0, 4))
        codes = [f"{name}-{place}" for place in range(self.random.randint(3, 6))]
        add(
            self.random.choice(self.goods),
            *codes,
            batch=name,
            last_day=self.random.choice((None, None, last_day)),
            now=self.now,
        )
        self.batches.append(name)

    def empty(self) -> None:
        goods = self.random.choice(self.goods)
        for batch in self.batches:
            with suppress(NothingFree):
                withdraw(goods, batch, now=self.now)

    def look(self) -> None:
        member, code = self.random.choice([(each, code) for each in self.members for code in owned(each)])
        show(code, member, now=self.now)
        self.seen[code.id] = member

    def give_up(self) -> None:
        order, _payment = self.in_state("paid", "delivered")
        with transaction():
            orders.lock_order(order_id=order)
            whole = order_by_id(order)
            line = whole.lines[0]
            pieces = {line.id: self.random.randint(1, line.quantity)}
            orders.give_up(order=whole, pieces=pieces, by=SYSTEM, now=self.now)

    def cancel(self) -> None:
        order, _payment = self.in_state("placed")
        with transaction():
            orders.cancel(order_id=order, by=Actor("member", None, "Lin"), now=self.now)

    def wait(self) -> None:
        self.now += timedelta(hours=self.random.choice((1, 30)))
        close_unpaid(now=self.now)
        jobs.withdraw_ended(now=self.now)
        serve_waiting(now=self.now)

    def check(self) -> None:
        db.session.rollback()
        assert mismatches() == []
        owners = dict(db.session.execute(sa.select(PoolCode.id, PoolCode.member_id)).all())
        assert all(owners[code] == member for code, member in self.seen.items())
        taken: dict[int, int] = {}
        for line in db.session.scalars(sa.select(PoolCode.order_line_id).where(PoolCode.order_line_id.is_not(None))):
            taken[line] = taken.get(line, 0) + 1
        for order, _payment in self.placed:
            for line in order_by_id(order).lines:
                assert taken.get(line.id, 0) == line.fulfilled


@pytest.mark.parametrize("seed", range(4))
def test_the_stock_is_what_the_pools_say_whatever_happens(app, seed):
    world = World(seed)
    world.order()
    for _ in range(STEPS):
        with suppress(DomainError, IndexError):  # Refused, or there is nothing to look at: nothing has happened.
            world.step()
        world.check()
