"""The books are checked by breaking them: every kind of damage must be found and named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation.database import transaction
from app.loyalty.ledger.verify import verify

pytestmark = pytest.mark.tampering

DAMAGE = {
    "a balance written past the books": "UPDATE wallet SET balance = balance + 1 WHERE ledger = 'points'",
    "a hold counted twice": "UPDATE wallet SET held = held + 1 WHERE ledger = 'points'",
    "points on the way from nowhere": "UPDATE wallet SET on_the_way = on_the_way + 1 WHERE ledger = 'points'",
    "a changed amount": "UPDATE transfer SET amount = amount + 1 WHERE key = 'first'",
    "a changed running balance": "UPDATE transfer SET balance_after = balance_after + 1 WHERE key = 'first'",
    "a lot that grew": "UPDATE lot SET amount = amount + 5, remaining = remaining + 5",
    "a lot with something left that was spent": "UPDATE lot SET remaining = remaining + 1 WHERE remaining < amount",
    "a lot that forgot a hold": "UPDATE lot SET held = 0",
    "a removed draw": "DELETE FROM lot_draw WHERE transfer_id = (SELECT id FROM transfer WHERE key = 'spend')",
    "a forgotten pending award": "DELETE FROM pending_transfer WHERE amount > 0",
    "a forgotten hold": "DELETE FROM pending_transfer WHERE amount < 0",
    "a gap in the history": "UPDATE transfer SET sequence = sequence + 100 WHERE key = 'award'",
    "a debt beside free points": "UPDATE wallet SET debt = 10 WHERE ledger = 'points'",
}


@pytest.fixture
def busy(alice):
    alice.award(100, "first")
    alice.award(20, "second")
    alice.spend(30, "spend")
    alice.hold(10, "hold")
    alice.award(7, "award", pending=True)
    return alice


def test_a_clean_book_is_clean_and_says_what_it_looked_at(busy):
    report = verify()
    assert report.clean
    assert (report.counts["transfer"], report.counts["lot"], report.counts["pending_transfer"]) == (5, 2, 2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(busy, damage):
    with transaction() as session:
        session.execute(sa.text(DAMAGE[damage]))
    assert not verify().clean


def test_the_command_names_the_wallet_and_exits_with_one(busy, app):
    assert app.test_cli_runner().invoke(args=["ledger", "verify"]).exit_code == 0
    with transaction() as session:
        session.execute(sa.text(DAMAGE["a balance written past the books"]))
    result = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert result.exit_code == 1
    assert "balance is the sum of its transfers: wallet" in result.output
    assert "has 91, expected 90" in result.output
