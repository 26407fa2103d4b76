"""Sealing the books: everything is covered once, in order, and the log of checkpoints only grows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions, checkpoints
from app.loyalty.ledger.checkpoints import NoCheckpoint, consistency, published, published_one, seal
from app.loyalty.ledger.jobs import seal_books
from app.loyalty.ledger.merkle import is_consistent, leaf_hash, root, root_by_inclusion
from app.loyalty.ledger.models import Checkpoint, Tile, Transfer
from app.loyalty.ledger.verify_chain import verify_chain
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, WHY
from tests.racing import ON_POSTGRESQL, at_once


def digests():
    return db.session.scalars(sa.select(Transfer.digest).order_by(Transfer.id)).all()


def ranges():
    rows = db.session.execute(
        sa.select(Checkpoint.first_id, Checkpoint.last_id, Checkpoint.transfers).order_by(Checkpoint.number)
    )
    return [tuple(row) for row in rows]


def test_a_checkpoint_is_the_rfc_6962_root_over_everything_new(alice, bob):
    alice.award(10)
    bob.award(20)
    alice.spend(5)
    assert seal(now=NOON) == [1]
    first = published_one(1)
    assert first.root == root([leaf_hash(digest) for digest in digests()])
    assert first.transfers == 3
    bob.spend(1)
    assert seal(now=NOON + DAY) == [2]
    second = published_one(2)
    assert second.root == leaf_hash(digests()[3])
    assert second.previous == first.hash
    assert verify_chain().clean


def test_the_hash_of_a_checkpoint_covers_all_that_it_says(alice):
    alice.award(10)
    seal(now=NOON)
    document = published_one(1).document()
    assert sha256(document["content"].encode()).hexdigest() == document["hash"]
    told = json.loads(document["content"])
    row = db.session.get_one(Checkpoint, 1)
    assert told == {
        "number": 1,
        "closed_at": "2026-06-15T04:00:00.000000Z",
        "first": row.first_id,
        "last": row.last_id,
        "transfers": 1,
        "root": row.root.hex(),
        "previous": "00" * 32,
    }


def test_nothing_new_makes_no_checkpoint(alice):
    assert seal(now=NOON) == []
    alice.award(10)
    assert seal(now=NOON) == [1]
    assert seal(now=NOON) == []
    assert len(ranges()) == 1


def test_a_large_day_takes_several_checkpoints(alice, monkeypatch):
    monkeypatch.setattr(checkpoints, "AT_MOST", 4)
    monkeypatch.setattr(checkpoints, "BATCH", 3)
    for _ in range(9):
        alice.award(1)
    assert seal(now=NOON) == [1, 2, 3]
    assert [transfers for _, _, transfers in ranges()] == [4, 4, 1]
    assert all(before[1] < after[0] for before, after in zip(ranges(), ranges()[1:], strict=False))
    assert verify_chain().clean


def test_many_transfers_fill_tiles_of_256(alice):
    with transaction():
        award_ones(alice, 600)
    seal(now=NOON)
    tiles = {(tile.level, tile.position): len(tile.hashes) // 32 for tile in db.session.scalars(sa.select(Tile)).all()}
    assert tiles == {(0, 0): 256, (0, 1): 256, (0, 2): 88, (1, 0): 2}
    assert verify_chain().clean


def award_ones(teller, many):
    actions.award_many(
        [
            actions.Award(
                member_id=teller.member_id,
                amount=Points(1),
                key=f"many:{n}",
                kind="purchase",
                explanation=WHY,
                occurred_at=NOON,
            )
            for n in range(many)
        ],
        now=NOON,
    )


# --- when -----------------------------------------------------------------------------------


def test_the_job_seals_a_day_once_it_is_over_where_the_programme_is(alice):
    midnight = datetime(2026, 6, 15, 16, 0, tzinfo=UTC)  # In Shanghai.
    alice.award(10, now=midnight - timedelta(hours=3))
    assert seal_books(now=midnight - timedelta(minutes=1)) == 0
    assert seal_books(now=midnight) == 1
    alice.award(10, now=midnight + timedelta(hours=1))
    assert seal_books(now=midnight + timedelta(hours=2)) == 0
    assert seal_books(now=midnight + DAY) == 1
    assert seal_books(now=midnight + DAY) == 0


def test_a_worker_that_was_away_seals_what_it_missed(alice):
    alice.award(10)
    assert seal_books(now=NOON + 9 * DAY) == 1
    assert seal_books(now=NOON + 10 * DAY) == 0


def test_the_command_seals_now(app, alice):
    alice.award(10)
    told = app.test_cli_runner().invoke(args=["ledger", "checkpoint"])
    assert told.exit_code == 0
    assert "checkpoint 1: 1 transfers" in told.output
    again = app.test_cli_runner().invoke(args=["ledger", "checkpoint"])
    assert again.output == "The books are sealed up to checkpoint 1.\n"


# --- what is still under way ------------------------------------------------------------------


def copy_of_a_transfer(connection, key):
    """A posting that goes on in another connection."""
    row = dict(connection.execute(sa.select(Transfer.__table__).limit(1)).mappings().one())
    row |= {"key": key, "sequence": row["sequence"] + 100}
    del row["id"]
    return connection.execute(sa.insert(Transfer.__table__).values(row).returning(Transfer.__table__.c.id)).scalar_one()


@ON_POSTGRESQL
@pytest.mark.tampering
def test_what_is_written_late_is_waited_for_and_not_skipped(app, alice, bob, monkeypatch):
    """Ids are drawn in order and committed in any: the lock is what makes the greatest id mean something."""
    monkeypatch.setattr(checkpoints, "LOCK_TIMEOUT", "200ms")
    alice.award(10)
    late = db.engine.connect()
    slow = copy_of_a_transfer(late, "slow")
    bob.award(20)
    assert seal(now=NOON) == []
    assert ranges() == []

    without_lock = lambda: db.session.scalar(sa.select(sa.func.max(Transfer.id)))  # noqa: E731
    with monkeypatch.context() as careless:  # Without the lock, the slow one would be left out for good.
        careless.setattr(checkpoints, "_last_settled_id", without_lock)
        assert seal(now=NOON) == [1]
        assert ranges()[0][1] > slow
        assert ranges()[0][2] == 2
    with transaction() as session:
        session.execute(sa.delete(Tile))
        session.execute(sa.delete(Checkpoint))

    late.commit()
    late.close()
    assert seal(now=NOON) == [1]
    assert ranges()[0][2] == 3


@ON_POSTGRESQL
def test_postings_go_on_while_the_hashes_are_made(app, alice, monkeypatch):
    alice.award(10)
    original = checkpoints._next_checkpoint

    def meanwhile(*args, **named):
        found = original(*args, **named)
        if found:
            at_once(app, [lambda: alice.award(1)])
        return found

    monkeypatch.setattr(checkpoints, "_next_checkpoint", meanwhile)
    assert seal(now=NOON) == [1]
    assert ranges()[0][2] == 1


def test_two_who_seal_at_once_make_one_checkpoint(app, alice, monkeypatch):
    alice.award(10)
    original = checkpoints._next_checkpoint

    def overtaken(*args, **named):
        found = original(*args, **named)
        monkeypatch.setattr(checkpoints, "_next_checkpoint", original)
        assert seal(now=NOON) == [1]
        return found

    monkeypatch.setattr(checkpoints, "_next_checkpoint", overtaken)
    assert seal(now=NOON) == []
    assert len(ranges()) == 1
    assert verify_chain().clean


@ON_POSTGRESQL
def test_eight_who_seal_at_once_make_one_checkpoint(app, alice):
    alice.award(10)
    answers = at_once(app, [lambda: seal(now=NOON) for _ in range(8)])
    assert sorted(answers) == [*[[]] * 7, [1]]


# --- the log ----------------------------------------------------------------------------------


@pytest.fixture
def week(alice):
    for day in range(7):
        alice.award(1)
        with clock.freeze(NOON + day * DAY):
            seal(now=clock.now())


def test_every_checkpoint_is_the_last_leaf_of_its_log(week):
    hashes = [each.hash for each in published(1, 7)]
    for each in published(1, 7):
        assert each.log_root == root([leaf_hash(found) for found in hashes[: each.number]])
        path = [bytes.fromhex(part) for part in each.document()["log"]["path"]]
        assert root_by_inclusion(leaf_hash(each.hash), each.number - 1, each.number, path) == each.log_root
    assert [each.document() for each in published(3, 5)] == [published_one(number).document() for number in (3, 4, 5)]


def test_any_two_checkpoints_are_provably_consistent(week):
    roots = {each.number: each.log_root for each in published(1, 7)}
    for first in range(1, 8):
        for second in range(first, 8):
            proof = consistency(first, second)
            path = [bytes.fromhex(part) for part in proof["path"]]
            assert is_consistent(first, second, roots[first], roots[second], path)
            assert (proof["first_root"], proof["second_root"]) == (roots[first].hex(), roots[second].hex())


@pytest.mark.parametrize(("first", "second"), [(0, 3), (5, 3), (3, 8), (-1, 2)])
def test_what_does_not_exist_has_no_proof(week, first, second):
    with pytest.raises(NoCheckpoint):
        consistency(first, second)
