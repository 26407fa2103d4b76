"""Whatever happens, in whatever order: the real ledger and the naive one agree, and the books prove themselves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.points import Points
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.ledger.models import Lot, Wallet
from app.loyalty.ledger.verify import verify
from tests.loyalty.ledger.conftest import Teller, make_teller
from tests.loyalty.ledger.naive import Account, Refused

DAY = timedelta(days=1)
START = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)  # Late on a Shanghai evening, near a month's end and Europe's DST.
AMOUNTS = st.integers(1, 12)
LIVES = st.sampled_from([None, DAY, 10 * DAY, 40 * DAY])
PATIENCE = st.sampled_from([None, timedelta(minutes=30), 7 * DAY])
STEPS = st.sampled_from([timedelta(minutes=29), timedelta(minutes=31), DAY, 11 * DAY, 31 * DAY])

members = iter(range(10**9))


class Life(RuleBasedStateMachine):
    """One member's life, told to both ledgers."""

    def __init__(self) -> None:
        super().__init__()
        self.real: Teller = make_teller(f"m{next(members)}")
        self.naive = Account()
        self.now = START
        self.count = 0
        self.again: tuple[Any, ...] | None = None

    def key(self, what: str) -> str:
        self.count += 1
        return f"{self.real.member_id}:{what}:{self.count}"

    def both(self, real: Any, naive: Any) -> bool:
        """Let both do it. They must both accept, or both refuse."""
        try:
            naive()
        except Refused:
            with pytest.raises(DomainError):
                real()
            return False
        real()
        self.again = (real,)
        return True

    def expiry(self, lives: timedelta | None) -> datetime | None:
        return self.now + lives if lives else None

    @initialize(lives=st.lists(LIVES, min_size=3, max_size=3))
    def begin(self, lives: list[timedelta | None]) -> None:
        for each in lives:
            self.award(10, each)

    @rule(amount=AMOUNTS, lives=LIVES)
    def award(self, amount: int, lives: timedelta | None) -> None:
        key, now, expires = self.key("award"), self.now, self.expiry(lives)
        self.both(
            lambda: self.real.award(amount, key, at=now, now=now, expires_at=expires),
            lambda: self.naive.award(key, amount, expires=expires, earned=now),
        )

    @rule(amount=AMOUNTS, lives=LIVES, patience=PATIENCE)
    def promise(self, amount: int, lives: timedelta | None, patience: timedelta | None) -> None:
        key, now, expires, deadline = self.key("promise"), self.now, self.expiry(lives), self.expiry(patience)
        self.both(
            lambda: self.real.award(amount, key, at=now, now=now, expires_at=expires, pending=True, deadline=deadline),
            lambda: self.naive.promise(key, amount, expires=expires, earned=now, deadline=deadline),
        )

    def about(self, limit: int) -> st.SearchStrategy[int]:
        """An amount up to one more than what is possible."""
        return st.integers(1, max(limit, 0) + 1)

    @rule(data=st.data())
    def spend(self, data: st.DataObject) -> None:
        amount = data.draw(self.about(self.naive.available(self.now)))
        key, now = self.key("spend"), self.now
        self.both(lambda: self.real.spend(amount, key, now=now), lambda: self.naive.spend(key, amount, now=now))

    @rule(amount=AMOUNTS)
    def correct(self, amount: int) -> None:
        key, now = self.key("correct"), self.now
        self.both(
            lambda: self.real.adjust(-amount, key, now=now),
            lambda: self.naive.spend(key, amount, now=now, correction=True),
        )

    @rule(data=st.data(), patience=PATIENCE)
    def hold(self, data: st.DataObject, patience: timedelta | None) -> None:
        amount = data.draw(self.about(self.naive.available(self.now)))
        key, now, deadline = self.key("hold"), self.now, self.expiry(patience)
        self.both(
            lambda: self.real.hold(amount, key, now=now, deadline=deadline),
            lambda: self.naive.hold(key, amount, now=now, deadline=deadline),
        )

    @precondition(lambda self: self.naive.holds or self.naive.waiting)
    @rule(data=st.data(), post=st.booleans())
    def settle(self, data: st.DataObject, post: bool) -> None:
        pending = data.draw(st.sampled_from([*self.naive.holds, *self.naive.waiting]))
        key, now = self.key("settle"), self.now
        if post:
            self.both(lambda: self.real.post(pending, key, now=now), lambda: self.naive.post(pending, key))
        else:
            self.both(lambda: self.real.void(pending, key, now=now), lambda: self.naive.void(pending))

    @precondition(lambda self: self.naive.spent)
    @rule(data=st.data(), shop_caused=st.booleans())
    def give_back(self, data: st.DataObject, shop_caused: bool) -> None:
        spent = data.draw(st.sampled_from(list(self.naive.spent)))
        left = len(self.naive.spent[spent]) - self.naive.given_back.get(spent, 0)
        amount = data.draw(self.about(left))
        key, now = self.key("return"), self.now
        self.both(
            lambda: self.real.give_back(spent, amount, key, now=now, shop_caused=shop_caused),
            lambda: self.naive.give_back(spent, amount, now=now, shop_caused=shop_caused),
        )

    @precondition(lambda self: self.naive.awarded)
    @rule(data=st.data())
    def claw_back(self, data: st.DataObject) -> None:
        awarded = data.draw(st.sampled_from(list(self.naive.awarded)))
        amount = data.draw(self.about(self.naive.awarded[awarded] - self.naive.clawed.get(awarded, 0)))
        key, now = self.key("clawback"), self.now
        voided = awarded not in self.naive.waiting and not any(t.award == awarded for t in self.naive.tokens)
        if not voided:  # What never arrived cannot be taken back; the mall does not try.
            self.both(
                lambda: self.real.claw_back(awarded, amount, key, now=now),
                lambda: self.naive.claw_back(awarded, amount, now=now),
            )

    def freeze(self, moment: datetime | None) -> None:
        self.naive.frozen = moment is not None
        with transaction() as session:
            session.execute(sa.update(Wallet).where(Wallet.member_id == self.real.member_id).values(frozen_at=moment))

    @rule(data=st.data(), amount=AMOUNTS)
    def a_frozen_wallet_receives_but_does_not_spend(self, data: st.DataObject, amount: int) -> None:
        self.freeze(self.now)
        self.spend(data)
        self.hold(data, None)
        self.correct(1)
        self.award(amount, DAY)
        self.freeze(None)

    @precondition(lambda self: self.again)
    @rule()
    def the_same_request_comes_again(self) -> None:
        """A retry with the same key, perhaps much later, must move nothing: so only the real one is told."""
        self.again[0]()

    @rule(step=STEPS)
    def time_passes(self, step: timedelta) -> None:
        self.now += step

    @rule()
    def the_worker_comes_by(self) -> None:
        settle_pending(now=self.now)
        expire_points(now=self.now)
        self.naive.deadlines(self.now)

    @invariant()
    def both_say_the_same(self) -> None:
        if not hasattr(self, "real"):
            return
        standing = self.real.standing(now=self.now)
        assert standing.available == Points(self.naive.available(self.now))
        assert standing.held == Points(self.naive.held())
        assert standing.on_the_way == Points(self.naive.on_the_way())
        assert standing.debt == Points(self.naive.debt)
        assert self.real_lots() == Counter(token.expires for token in self.naive.free(self.now))
        db.session.rollback()

    def real_lots(self) -> Counter[datetime | None]:
        rows = db.session.execute(
            sa.select(Lot.expires_at, Lot.remaining - Lot.held)
            .join(Wallet, Wallet.id == Lot.wallet_id)
            .where(Wallet.member_id == self.real.member_id, Lot.remaining > Lot.held)
        )
        alive: Counter[datetime | None] = Counter()
        for expires, free in rows:
            if expires is None or expires > self.now:
                alive[expires] += free
        return alive

    @invariant()
    def the_books_are_clean(self) -> None:
        assert verify().findings == []
        db.session.rollback()


def test_the_ledger_agrees_with_the_naive_one(app: Flask) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=30,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # Shrinking a failure against a real database would take minutes.
            suppress_health_check=list(HealthCheck),
        ),
    )
