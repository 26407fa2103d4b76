"""Sixteen people at once on PostgreSQL. Each race is first shown to happen without its lock."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.foundation.database import db, transaction
from app.foundation.points import Growth, Points
from app.loyalty.ledger import actions, expiry, writing
from app.loyalty.ledger.actions import Award
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.ledger.models import Lot, Transfer, Wallet
from app.loyalty.ledger.verify import verify
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, WHY, Teller, make_teller
from tests.racing import ON_POSTGRESQL, at_once, lifted, refusals, unlock_wallets

pytestmark = ON_POSTGRESQL
THREADS = 16


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read wallets without locking them, and let everybody look before anybody writes."""
    everybody_has_looked = Barrier(2)

    write = writing.write

    def wait_then_write(entries: Any, wallets: Any) -> Any:
        everybody_has_looked.wait(timeout=10)
        return write(entries, wallets)

    unlock_wallets(monkeypatch)
    monkeypatch.setattr(writing, "write", wait_then_write)


def two_spend_the_last_points(app: Flask, member_id: int) -> list[Any]:
    return at_once(app, [lambda n=n: Teller(member_id).spend(100, f"order:{n}") for n in range(2)])


def test_without_the_lock_both_spend_the_last_points(app, alice, monkeypatch):
    """The race is real: take away lock and constraints, and the same points are spent twice."""
    alice.award(100)
    last_line = ["ck_wallet_balance_covered", "ck_wallet_held_covered", "uq_transfer_wallet_id_sequence"]
    with lifted(*last_line, "ck_lot_remaining_in_range", "ck_lot_held_in_range"):
        without_locks(monkeypatch)
        assert refusals(two_spend_the_last_points(app, alice.member_id)) == 0
        assert alice.available == Points(-100)
        assert not verify().clean


def test_with_the_lock_one_spends_the_last_points(app, alice):
    alice.award(100)
    assert refusals(two_spend_the_last_points(app, alice.member_id)) == 1
    assert alice.available == Points(0)


def test_without_the_lock_the_constraints_still_stop_the_second(app, alice, monkeypatch):
    """The last line holds on its own: no sentence for the person, but no point lost."""
    alice.award(100)
    without_locks(monkeypatch)
    with pytest.raises(sa.exc.IntegrityError):
        two_spend_the_last_points(app, alice.member_id)
    db.session.rollback()
    assert alice.available == Points(0)


def many_spend_a_lot_each(app: Flask, teller: Teller) -> list[Any]:
    for n in range(THREADS):
        teller.award(10, f"award:{n}")
    return at_once(app, [lambda n=n: Teller(teller.member_id).spend(10, f"order:{n}") for n in range(THREADS)])


def test_without_a_second_look_whoever_waited_draws_from_lots_that_are_used_up(app, alice, monkeypatch):
    """Wallet and lots are read by one statement: the wallet as the lock found it, the lots as they were before."""
    seen = str(expiry.LOCK_ONE_WITH_LOTS).replace("wallet_1.sequence", "locked.sequence")
    monkeypatch.setattr(expiry, "LOCK_ONE_WITH_LOTS", sa.text(seen))
    with pytest.raises(sa.exc.IntegrityError, match="ck_lot_"):
        many_spend_a_lot_each(app, alice)
    db.session.rollback()
    assert verify().clean


def test_whoever_waited_draws_from_the_lots_that_are_left(app, alice):
    assert refusals(many_spend_a_lot_each(app, alice)) == 0
    assert alice.available == Points(0)


def test_one_key_from_many_sides_awards_once(app, alice):
    answers = at_once(app, [lambda: Teller(alice.member_id).award(100, "purchase:1") for _ in range(THREADS)])
    assert sum(answer.created for answer in answers) == 1
    assert alice.available == Points(100)


def test_a_hold_is_posted_or_voided_never_both(app, alice):
    alice.award(100)
    alice.hold(60, "hold")
    teller = Teller(alice.member_id)
    tasks = [
        (lambda n=n: teller.post("hold", f"post:{n}")) if n % 2 else (lambda n=n: teller.void("hold", f"void:{n}"))
        for n in range(THREADS)
    ]
    answers = at_once(app, tasks)
    assert refusals(answers) == THREADS - 1
    assert alice.available in (Points(40), Points(100))


def test_everybody_at_once_over_few_wallets_loses_nothing(app):
    """Awards, spending, holds, clawbacks and the jobs, all at the same time; the books must add up to the point."""
    members = [make_teller(f"member{n}") for n in range(3)]
    for teller in members:
        teller.award(500, f"start:{teller.member_id}")

    def life(thread: int) -> Callable[[], int]:
        def live() -> int:
            moved = 0
            for turn in range(6):
                teller = Teller(members[(thread + turn) % len(members)].member_id)
                moved += turns(teller, f"{thread}:{turn}")
            return moved

        return live

    gained = at_once(app, [life(n) for n in range(THREADS)])
    db.session.rollback()
    total = sum(int(teller.available) for teller in members)
    assert total == 3 * 500 + sum(gained)
    assert db.session.scalar(sa.select(sa.func.sum(Lot.held))) == 0


def turns(teller: Teller, name: str) -> int:
    """One turn of somebody's life; returns what it changed in the balance."""
    teller.award(7, f"{name}:earn")
    teller.spend(5, f"{name}:spend")
    teller.hold(20, f"{name}:hold")
    teller.give_back(f"{name}:spend", 2, f"{name}:back")
    settle_pending(now=NOON)
    teller.void(f"{name}:hold", f"{name}:release")
    teller.claw_back(f"{name}:earn", 3, f"{name}:claw")
    return 7 - 5 + 2 - 3


def test_expiry_and_spending_at_the_same_moment_take_each_point_once(app, alice):
    for n in range(10):
        alice.award(10, f"old:{n}", expires_at=NOON + DAY)
        alice.award(10, f"new:{n}", expires_at=None)
    later = NOON + DAY
    tasks = [lambda: expire_points(now=later) for _ in range(4)]
    tasks += [lambda n=n: Teller(alice.member_id).spend(10, f"order:{n}", now=later) for n in range(12)]
    answers = at_once(app, tasks)
    assert refusals(answers) == 2
    assert alice.standing(now=later).available == Points(0)
    written_off = sa.select(sa.func.sum(Transfer.amount)).where(Transfer.account == "expiry")
    assert db.session.scalar(written_off) == -100


def test_awards_in_both_ledgers_never_wait_in_a_circle(app, alice, bob):
    """Points and growth of several members are locked by one statement: any mix of batches lets everybody through."""
    members = [alice.member_id, bob.member_id]

    def batch(thread: int) -> None:
        units = [Points, Growth] if thread % 2 else [Growth, Points]
        for turn in range(5):
            awards = [
                Award(
                    member_id=member_id,
                    amount=unit(1),
                    key=f"{thread}:{turn}:{member_id}:{unit.ledger}",
                    kind="purchase",
                    explanation=WHY,
                    occurred_at=NOON,
                )
                for member_id in (members if thread % 3 else members[::-1])
                for unit in units
            ]
            with transaction():
                actions.award_many(awards, now=NOON)

    at_once(app, [lambda n=n: batch(n) for n in range(THREADS)])
    db.session.rollback()
    balances = db.session.scalars(sa.select(Wallet.balance)).all()
    assert balances == [THREADS * 5] * 4
