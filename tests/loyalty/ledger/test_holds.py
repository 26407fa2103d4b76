"""Two phases: what is set aside or on the way, and how that ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.points import LIMIT, Points
from app.loyalty.ledger.errors import AlreadyResolved, InsufficientPoints, KeyReused, UnknownPending
from app.loyalty.ledger.history import Wanted, find
from app.loyalty.ledger.jobs import expire_points, settle_pending
from app.loyalty.ledger.models import Lot, Pending, Transfer
from app.loyalty.ledger.queries import history
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY


def test_held_points_cannot_be_spent_elsewhere(alice):
    alice.award(100)
    alice.hold(80, "order:1:hold")
    standing = alice.standing()
    assert (standing.available, standing.held) == (Points(20), Points(80))
    with pytest.raises(InsufficientPoints):
        alice.spend(21)


def test_a_posted_hold_is_spent(alice):
    alice.award(100)
    alice.hold(80, "order:1:hold")
    alice.post("order:1:hold", "order:1:redeem")
    standing = alice.standing()
    assert (standing.available, standing.held) == (Points(20), Points(0))


def test_a_voided_hold_comes_back(alice):
    alice.award(100)
    alice.hold(80, "order:1:hold")
    alice.void("order:1:hold", "order:1:release")
    assert alice.available == Points(100)
    assert db.session.scalars(sa.select(Lot.held)).all() == [0]


def test_a_hold_is_settled_once(alice):
    alice.award(100)
    alice.hold(80, "hold")
    first = alice.post("hold", "redeem")
    again = alice.post("hold", "redeem")
    assert (again.transfer_id, again.created) == (first.transfer_id, False)
    with pytest.raises(AlreadyResolved):
        alice.void("hold", "release")
    with pytest.raises(KeyReused):
        alice.void("hold", "redeem")
    assert alice.available == Points(20)


def test_settling_what_never_was_is_refused(alice):
    alice.award(100, "award")
    with pytest.raises(UnknownPending):
        alice.post("nothing")
    with pytest.raises(UnknownPending):
        alice.void("award")


def test_a_hold_past_its_deadline_is_released_by_itself(alice):
    alice.award(100)
    alice.hold(80, "hold", deadline=NOON + timedelta(minutes=30))
    assert settle_pending(now=NOON + timedelta(minutes=29)) == 0
    assert settle_pending(now=NOON + timedelta(minutes=30)) == 1
    assert settle_pending(now=NOON + timedelta(minutes=31)) == 0
    assert alice.available == Points(100)


def test_points_on_the_way_cannot_be_spent_before_they_arrive(alice):
    alice.award(50, "order:1:earn", pending=True)
    standing = alice.standing()
    assert (standing.available, standing.on_the_way) == (Points(0), Points(50))
    with pytest.raises(InsufficientPoints):
        alice.spend(1)
    alice.post("order:1:earn", "order:1:mature")
    standing = alice.standing()
    assert (standing.available, standing.on_the_way) == (Points(50), Points(0))


def test_points_on_the_way_mature_at_their_deadline(alice):
    alice.award(50, pending=True, deadline=NOON + 7 * DAY)
    assert settle_pending(now=NOON + 7 * DAY) == 1
    assert alice.available == Points(50)


def test_a_dropped_award_leaves_nothing(alice):
    alice.award(50, "earn", pending=True)
    alice.void("earn", "drop")
    assert alice.standing().on_the_way == Points(0)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Lot)) == 0
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Pending)) == 0


def test_a_matured_award_lives_from_when_it_was_earned(alice):
    alice.award(50, "earn", pending=True, at=NOON)
    alice.post("earn", now=NOON + 40 * DAY)
    lot = db.session.scalars(sa.select(Lot)).one()
    assert (lot.earned_at, lot.expires_at.date().isoformat()) == (NOON, "2027-06-30")


def test_what_a_hold_has_set_aside_does_not_expire_under_the_customer(alice):
    alice.award(100, expires_at=NOON + DAY)
    alice.hold(80, "hold")
    assert expire_points(now=NOON + DAY) == 1
    alice.post("hold", now=NOON + DAY)
    assert alice.standing(now=NOON + DAY).available == Points(0)
    amounts = db.session.scalars(sa.select(Transfer.amount).where(Transfer.account == "expiry")).all()
    assert amounts == [-20]


def test_a_released_hold_on_an_expired_lot_expires_then(alice):
    alice.award(100, expires_at=NOON + DAY)
    alice.hold(80, "hold")
    expire_points(now=NOON + DAY)
    alice.void("hold", now=NOON + 2 * DAY)
    assert alice.standing(now=NOON + 2 * DAY).available == Points(0)
    assert expire_points(now=NOON + 2 * DAY) == 1
    assert expire_points(now=NOON + 2 * DAY) == 0


def test_history_shows_what_moved_and_on_the_way_what_waits(alice):
    alice.award(100, "a")
    alice.hold(30, "h")
    alice.award(7, "p", pending=True)
    assert [transfer.key for transfer in history(alice.member_id)] == ["a"]
    waiting = find(alice.member_id, Wanted(show="on_the_way"), limit=9).transfers
    assert [transfer.key for transfer in waiting] == ["p", "h"]


def test_one_award_that_cannot_come_keeps_nobody_else_waiting(alice, bob, caplog):
    """Its wallet is full to what a ledger can hold; it stays on the way until there is room."""
    alice.award(7, "stuck", expires_at=None, pending=True, deadline=NOON)
    alice.award(LIMIT, expires_at=None)
    bob.award(5, "fine", expires_at=None, pending=True, deadline=NOON)
    assert settle_pending(now=NOON + DAY) == 1
    assert bob.available == Points(5)
    assert (alice.available, alice.standing().on_the_way) == (Points(LIMIT), Points(7))
    assert "stuck is overdue" in caplog.text
    alice.spend(7)
    assert settle_pending(now=NOON + DAY) == 1
    assert alice.standing().on_the_way == Points(0)
