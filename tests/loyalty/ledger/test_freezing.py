"""A frozen wallet receives, but does not spend; what was spent before the freeze stays spent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.points import Growth, Points
from app.loyalty.ledger import actions
from app.loyalty.ledger.errors import NoWallet, WalletFrozen
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.ledger.models import Wallet
from app.loyalty.ledger.queries import freeze_of
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, Teller
from tests.racing import ON_POSTGRESQL, at_once, refusals, unlock_wallets


def freeze(teller, reason="dispute", now=NOON):
    with transaction():
        return actions.freeze(member_id=teller.member_id, reason=reason, now=now)


def unfreeze(teller):
    with transaction():
        return actions.unfreeze(member_id=teller.member_id)


def test_it_receives_and_does_not_spend_until_the_freeze_is_lifted(alice):
    alice.award(100)
    assert freeze(alice)
    alice.award(20)
    for refused in (alice.spend, alice.hold):
        with pytest.raises(WalletFrozen, match="frozen"):
            refused(10, "order")
    assert (alice.standing().available, alice.standing().frozen) == (Points(120), True)
    assert unfreeze(alice)
    alice.spend(10, "order")  # The refusal has left nothing behind that would be in the key's way.
    assert (alice.standing().available, alice.standing().frozen) == (Points(110), False)


def test_a_second_freeze_changes_neither_moment_nor_reason(alice):
    assert freeze(alice, "lost")
    assert not freeze(alice, "dispute", now=NOON + DAY)
    found = freeze_of(alice.member_id)
    assert found
    assert (found.since, found.reason) == (NOON, "lost")


def test_what_is_not_frozen_cannot_be_freed(alice):
    assert not unfreeze(alice)
    assert freeze_of(alice.member_id) is None


def test_only_the_points_are_frozen_and_only_this_members(alice, bob):
    freeze(alice)
    ledgers = db.session.scalars(sa.select(Wallet.ledger).where(Wallet.frozen_at.is_not(None))).all()
    assert ledgers == [Points.ledger]
    alice.award(Growth(5))
    bob.award(10)
    bob.spend(10)


def test_nobody_has_no_wallet_to_freeze(app):
    for verb in (lambda: actions.freeze(member_id=404, reason="x", now=NOON), lambda: actions.unfreeze(member_id=404)):
        with transaction(), pytest.raises(NoWallet):
            verb()


def test_a_hold_from_before_is_spent_when_its_order_is_paid(alice):
    alice.award(100)
    alice.hold(60, "order")
    freeze(alice)
    alice.post("order")
    assert (alice.available, alice.standing().held) == (Points(40), Points(0))


def test_a_hold_from_before_is_released_by_hand_or_by_its_deadline(alice):
    alice.award(100)
    alice.hold(60, "one")
    alice.hold(40, "two", deadline=NOON + DAY)
    freeze(alice)
    alice.void("one")
    settle_pending(now=NOON + DAY)
    assert alice.available == Points(100)


def test_awards_mature_returns_come_and_go_and_points_expire_meanwhile(alice):
    alice.award(100, "purchase")
    alice.award(30, expires_at=NOON + DAY)
    alice.award(7, pending=True, deadline=NOON + DAY)
    alice.spend(50, "redemption")
    freeze(alice)
    later = NOON + DAY + timedelta(minutes=1)
    settle_pending(now=later)
    assert alice.standing(now=later).available == Points(87)
    alice.give_back("redemption", 50, now=later)  # 30 of them had expired while they were away.
    alice.claw_back("purchase", 10, now=later)
    expire_points(now=later)
    assert alice.standing(now=later).available == Points(97)


def test_colleagues_correct_a_frozen_balance_in_both_directions(alice):
    alice.award(100)
    freeze(alice)
    alice.adjust(5)
    alice.adjust(-20)
    assert alice.available == Points(85)


# --- at the same instant --------------------------------------------------------------------


def freeze_seeing_the_balance(teller: Teller) -> int:
    """What was there when the freeze was laid. Nothing may be spent of it afterwards."""
    with transaction():
        actions.freeze(member_id=teller.member_id, reason="lost", now=NOON)
        return int(db.session.scalar(sa.select(Wallet.balance).where(*points_of(teller))) or 0)


def points_of(teller: Teller) -> tuple[Any, ...]:
    return Wallet.member_id == teller.member_id, Wallet.ledger == Points.ledger


def spend_while_it_is_frozen(app: Any, teller: Teller, monkeypatch: pytest.MonkeyPatch, *, patience: int) -> list[Any]:
    """Somebody has looked at the wallet to spend, and a colleague freezes it before they write."""
    looked, frozen = Event(), Event()
    lock_with_lots = actions.lock_with_lots

    def look_then_wait(*args: Any, **kwargs: Any) -> Any:
        found = lock_with_lots(*args, **kwargs)
        looked.set()
        frozen.wait(patience)
        return found

    def freeze_in_between() -> int:
        assert looked.wait(10)
        try:
            return freeze_seeing_the_balance(Teller(teller.member_id))
        finally:
            frozen.set()

    monkeypatch.setattr(actions, "lock_with_lots", look_then_wait)
    return at_once(app, [lambda: Teller(teller.member_id).spend(100, "order"), freeze_in_between])


def left_of(teller: Teller) -> int:
    db.session.rollback()
    return int(teller.available)


@ON_POSTGRESQL
def test_without_the_lock_somebody_spends_from_a_wallet_that_is_frozen(app, alice, monkeypatch):
    """The race is real: the freeze is laid over 100 points, and then they are gone."""
    alice.award(100)
    unlock_wallets(monkeypatch)
    spent, seen = spend_while_it_is_frozen(app, alice, monkeypatch, patience=10)
    assert spent.created
    assert (seen, left_of(alice)) == (100, 0)


@ON_POSTGRESQL
def test_with_the_lock_the_freeze_waits_and_sees_what_was_spent(app, alice, monkeypatch):
    alice.award(100)
    spent, seen = spend_while_it_is_frozen(app, alice, monkeypatch, patience=1)
    assert spent.created
    assert (seen, left_of(alice)) == (0, 0)


@ON_POSTGRESQL
def test_among_many_who_spend_each_comes_before_the_freeze_or_is_refused(app, alice):
    alice.award(160)
    spends: list[Callable[[], Any]] = [lambda n=n: Teller(alice.member_id).spend(10, f"order:{n}") for n in range(15)]  # type: ignore[misc]
    answers = at_once(app, [*spends, lambda: freeze_seeing_the_balance(Teller(alice.member_id))])
    assert left_of(alice) == answers[-1] == 160 - 10 * (15 - refusals(answers))
