"""Whatever happens, in whatever order: the real ledger and the naive one agree, and the books prove themselves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
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

from app.foundation.clock import programme_zone
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.points import Growth, Points
from app.loyalty.ledger import freezing
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.ledger.models import Lot, Wallet
from app.loyalty.ledger.rules import ExpiryPolicy
from app.loyalty.ledger.verify import verify
from app.loyalty.ledger.verify_chain import verify_chain
from tests.loyalty.ledger.conftest import Teller, make_teller
from tests.loyalty.ledger.naive import Account, Refused, day_after

DAY = timedelta(days=1)
START = datetime(2026, 3, 20, 15, 30, tzinfo=UTC)  # Late on a Shanghai evening, near a month's end and Europe's DST.
AMOUNTS = st.integers(1, 12)
# For so long from now; or by a policy: to the end of the next month, or for a month after the last activity.
MONTH_END, IDLE = "month end", "idle"
Lives = timedelta | str | None
LIVES = st.sampled_from([None, DAY, 10 * DAY, 40 * DAY, MONTH_END, IDLE])
POLICIES = {MONTH_END: ExpiryPolicy(kind="months", months=1), IDLE: ExpiryPolicy(kind="inactivity", months=1)}
PATIENCE = st.sampled_from([None, timedelta(minutes=30), 7 * DAY])
STEPS = st.sampled_from([timedelta(minutes=29), timedelta(minutes=31), DAY, 11 * DAY, 31 * DAY])
# Shanghai has no summer time; Berlin's begins nine days after the start, New York's ended twelve days before it.
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
# Days are counted in Python, so for them one database is as good as another, and SQLite the fastest.
PLACES = [("postgresql", "Europe/Berlin"), *(("sqlite", zone) for zone in ZONES)]

members = iter(range(10**9))


class Life(RuleBasedStateMachine):
    """One member's life, told to both ledgers."""

    def __init__(self) -> None:
        super().__init__()
        self.real: Teller = make_teller(f"m{next(members)}")
        self.naive = Account(programme_zone())
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

    def later(self, patience: timedelta | None) -> datetime | None:
        return self.now + patience if patience else None

    def lives(self, lives: Lives) -> tuple[dict[str, Any], dict[str, Any]]:
        """How long points live, in the words of the real ledger and of the naive one."""
        if isinstance(lives, str):
            until = day_after(self.now, 1, self.naive.zone, month_end=lives == MONTH_END)
            return {"expiry": POLICIES[lives]}, {"expires": until, "idle": 1 if lives == IDLE else None}
        return {"expires_at": self.later(lives)}, {"expires": self.later(lives)}

    @initialize(lives=st.lists(LIVES, min_size=3, max_size=3))
    def begin(self, lives: list[Lives]) -> None:
        for each in lives:
            self.award(10, each)

    @rule(amount=AMOUNTS, lives=LIVES)
    def award(self, amount: int, lives: Lives) -> None:
        key, now, (real, naive) = self.key("award"), self.now, self.lives(lives)
        self.both(
            lambda: self.real.award(amount, key, at=now, now=now, **real),
            lambda: self.naive.award(key, amount, earned=now, **naive),
        )

    @rule(amount=AMOUNTS, lives=LIVES, patience=PATIENCE)
    def promise(self, amount: int, lives: Lives, patience: timedelta | None) -> None:
        key, now, (real, naive), deadline = self.key("promise"), self.now, self.lives(lives), self.later(patience)
        self.both(
            lambda: self.real.award(amount, key, at=now, now=now, pending=True, deadline=deadline, **real),
            lambda: self.naive.promise(key, amount, earned=now, deadline=deadline, **naive),
        )

    @rule(amount=AMOUNTS)
    def grow(self, amount: int) -> None:
        """Growth is another ledger: nothing that happens to points touches it, and it does not expire."""
        key, now = self.key("grow"), self.now
        self.real.award(Growth(amount), key, at=now, now=now)
        self.naive.growth += amount

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
        key, now, deadline = self.key("hold"), self.now, self.later(patience)
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

    @rule(data=st.data(), amount=AMOUNTS)
    def a_frozen_wallet_receives_but_does_not_spend(self, data: st.DataObject, amount: int) -> None:
        with transaction():
            freezing.freeze(member_id=self.real.member_id, reason="lost", now=self.now)
        self.naive.frozen = True
        self.spend(data)
        self.hold(data, None)
        self.correct(1)
        self.award(amount, DAY)
        with transaction():
            freezing.unfreeze(member_id=self.real.member_id)
        self.naive.frozen = False

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
        assert self.real_growth() == self.naive.growth
        assert self.real_lots() == Counter(token.expires for token in self.naive.free(self.now))
        db.session.rollback()

    def real_growth(self) -> int | None:
        own = (Wallet.member_id == self.real.member_id, Wallet.ledger == Growth.ledger)
        return db.session.scalar(sa.select(Wallet.balance).where(*own))

    def real_lots(self) -> Counter[datetime | None]:
        rows = db.session.execute(
            sa.select(Lot.expires_at, Lot.remaining - Lot.held)
            .join(Wallet, Wallet.id == Lot.wallet_id)
            .where(Wallet.member_id == self.real.member_id, Wallet.ledger == Points.ledger, Lot.remaining > Lot.held)
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

    def teardown(self) -> None:
        # Once a life: what is wrong in a chain stays wrong.
        assert verify_chain().findings == []
        db.session.rollback()


@pytest.mark.parametrize(("backend", "zone"), PLACES, indirect=["backend"], scope="session")
def test_the_ledger_agrees_with_the_naive_one(app: Flask, monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], timezone=zone))
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # Shrinking a failure against a real database would take minutes.
            suppress_health_check=list(HealthCheck),
        ),
    )
