"""The books are checked by breaking them: every kind of damage must be found and named."""

from __future__ import annotations

from contextlib import suppress

import pytest
import sqlalchemy as sa

from app.foundation.database import transaction
from app.loyalty.ledger.verify import CHECKS, verify
from tests.racing import ON_POSTGRESQL, lifted

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
    "a counter that ran ahead": "UPDATE wallet SET sequence = sequence + 1 WHERE ledger = 'points'",
    "a hold that sets aside too little": "UPDATE lot_draw SET amount = 9 WHERE amount = 10",
    "a lot out of a debit": """
        UPDATE lot SET transfer_id = (SELECT id FROM transfer WHERE key = 'spend') WHERE amount = 20""",
    "a lot in another wallet": "UPDATE lot SET wallet_id = (SELECT MAX(id) FROM wallet) WHERE amount = 20",
    "a lot drawn from another wallet": "UPDATE lot SET wallet_id = (SELECT MAX(id) FROM wallet) WHERE amount = 100",
    "a settled hold that waits again": """
        INSERT INTO pending_transfer (transfer_id, wallet_id, amount)
        SELECT id, wallet_id, amount FROM transfer WHERE key = 'held'""",
    "a hold settled for another amount": "UPDATE transfer SET amount = amount - 1 WHERE key = 'settled'",
    "a draw of nobody from nothing": "INSERT INTO lot_draw (transfer_id, lot_id, amount) VALUES (999999, 999999, 5)",
}
# Some damage has to get past a foreign key first, as a broken restore would; it is rolled back in the end.
PAST_FOREIGN_KEYS = {
    "sqlite": "PRAGMA defer_foreign_keys = ON",
    "postgresql": "SET LOCAL session_replication_role = replica",
}


@pytest.fixture
def busy(alice):
    alice.award(100, "first")
    alice.award(20, "second")
    alice.spend(30, "spend")
    alice.hold(10, "hold")
    alice.award(7, "award", pending=True)
    alice.hold(3, "held")
    alice.post("held", "settled")
    return alice


class Undone(Exception):
    pass


def found_after(damage: str) -> set[str]:
    """The checks that speak up after a damage, which is undone at once."""
    found: set[str] = set()
    with suppress(Undone), transaction() as session:
        session.execute(sa.text(PAST_FOREIGN_KEYS[session.connection().dialect.name]))
        session.execute(sa.text(damage))
        found = {finding.check for finding in verify().findings}
        raise Undone
    assert verify().clean
    return found


def test_a_clean_book_is_clean_and_says_what_it_looked_at(busy):
    report = verify()
    assert report.clean
    assert (report.counts["transfer"], report.counts["lot"], report.counts["pending_transfer"]) == (7, 2, 2)


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(busy, damage):
    assert found_after(DAMAGE[damage])


def test_no_check_is_there_for_nothing(busy):
    """Each check is the one that finds some damage; that a key stands once is told below."""
    found = set().union(*(found_after(damage) for damage in DAMAGE.values()))
    assert set(CHECKS) - found == {"a key is booked once"}


@ON_POSTGRESQL
def test_a_key_that_stands_twice_is_found(busy):
    copied = "sequence, account, unit_id, amount, phase, kind, explanation, balance_after, debt_change"
    times = "occurred_at, recorded_at, digest"
    with lifted("uq_transfer_key", "uq_transfer_wallet_id_sequence"), transaction() as session:
        session.execute(
            sa.text(
                f"INSERT INTO transfer (wallet_id, key, {copied}, {times})"
                f" SELECT wallet_id, key, {copied}, {times} FROM transfer WHERE key = 'first'"
            )
        )
        assert "a key is booked once: key first has 2, expected 1" in [str(finding) for finding in verify().findings]


def test_the_command_names_the_wallet_and_exits_with_one(busy, app):
    assert app.test_cli_runner().invoke(args=["ledger", "verify"]).exit_code == 0
    with transaction() as session:
        session.execute(sa.text(DAMAGE["a balance written past the books"]))
    result = app.test_cli_runner().invoke(args=["ledger", "verify"])
    assert result.exit_code == 1
    assert "balance is the sum of its transfers: wallet" in result.output
    assert "has 88, expected 87" in result.output
