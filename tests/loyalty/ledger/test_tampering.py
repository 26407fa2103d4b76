"""Somebody who can write every row of the database changes the past: it is found, and the place is named."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise

import pytest
import sqlalchemy as sa

from app.foundation.database import db, table_of, transaction
from app.foundation.points import Growth
from app.loyalty.ledger.chain import GENESIS, next_digest
from app.loyalty.ledger.checkpoints import content_of, digests, published_one, root_of, seal
from app.loyalty.ledger.erasure import erase_reasons
from app.loyalty.ledger.explanations import explain
from app.loyalty.ledger.merkle import leaf_hash
from app.loyalty.ledger.models import Checkpoint, Tile, Transfer, Wallet
from app.loyalty.ledger.receipts import receipt
from app.loyalty.ledger.tiles import tiles_of
from app.loyalty.ledger.verify_chain import verify_chain
from tests.cast import make_unit
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY

pytestmark = pytest.mark.tampering

T, W, C, S = table_of(Transfer), table_of(Wallet), table_of(Checkpoint), table_of(Tile)
SEALED = ("alice:1", "bob:1", "alice:2", "alice:hold", "bob:2", "alice:growth", "alice:post", "alice:3", "bob:3")
OPEN = ("bob:4", "alice:4")


@pytest.fixture
def books(alice, bob):
    """Two checkpoints over three wallets with transfers, and two transfers that are not sealed yet."""
    alice.award(100, "alice:1", unit_id=make_unit().id)
    bob.award(50, "bob:1")
    alice.award(25, "alice:2")
    alice.hold(30, "alice:hold", deadline=NOON + DAY)
    assert seal(now=NOON) == [1]
    bob.spend(5, "bob:2")
    alice.award(Growth(7), "alice:growth")
    alice.post("alice:hold", "alice:post")
    alice.reverse("alice:2", "alice:3")
    bob.award(1, "bob:3")
    assert seal(now=NOON + DAY) == [2]
    bob.award(2, "bob:4")
    alice.award(3, "alice:4")
    assert verify_chain().clean
    return alice, bob


def attack(*statements):
    """Somebody whom no foreign key and no check keeps from anything: what verify says to it. Nothing of it stays."""
    db.session.rollback()
    if db.engine.dialect.name == "sqlite":
        db.session.execute(sa.text("PRAGMA defer_foreign_keys=ON"))
        db.session.execute(sa.text("PRAGMA ignore_check_constraints=ON"))
    else:
        db.session.execute(sa.text("SET LOCAL session_replication_role = replica"))
        checks = "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:table AS regclass) AND contype = 'c'"
        for table in ("transfer", "ledger_checkpoint"):
            for name in db.session.scalars(sa.text(checks), {"table": table}).all():
                db.session.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    for statement in statements:
        statement() if callable(statement) else db.session.execute(statement)
    found = findings()
    db.session.rollback()
    return found


def findings(**options):
    return [str(finding) for finding in verify_chain(**options).findings]


def rows(table=T):
    db.session.rollback()
    return db.session.execute(sa.select(table).order_by(*table.primary_key)).mappings().all()


def by_key(key):
    return next(row for row in rows() if row["key"] == key)


def change(which, **values):
    return sa.update(T).where(T.c.key == which).values(**values)


def flipped(value):
    return bytes([value[0] ^ 1]) + value[1:]


def leaf_of(key):
    place = SEALED.index(key) if key in SEALED else -1
    return f"checkpoint 1, leaf {place} is gone" if place < 4 else f"checkpoint 2, leaf {place - 4} is gone"


# --- one field ------------------------------------------------------------------------------

MICROSECOND = timedelta(microseconds=1)
CHANGES = {
    "id": lambda row: row["id"] + 1000,
    "wallet_id": lambda row: 9999,
    "sequence": lambda row: row["sequence"] + 100,
    "key": lambda row: row["key"] + "!",
    "account": lambda row: "expiry",
    "unit_id": lambda row: None if row["unit_id"] else 1,
    "amount": lambda row: row["amount"] + 1,
    "phase": lambda row: "single" if row["phase"] == "pending" else "pending",
    "pending_id": lambda row: None if row["pending_id"] else 1,
    "reverses_id": lambda row: None if row["reverses_id"] else 1,
    "deadline": lambda row: row["deadline"] + MICROSECOND if row["deadline"] else NOON,
    "kind": lambda row: row["kind"] + "!",
    "explanation": lambda row: row["explanation"] | {"steps": [{"code": "opening"}]},
    "balance_after": lambda row: row["balance_after"] - 1,
    "debt_change": lambda row: row["debt_change"] + 1,
    "occurred_at": lambda row: row["occurred_at"] + MICROSECOND,
    "recorded_at": lambda row: row["recorded_at"] - MICROSECOND,
    "digest": lambda row: flipped(row["digest"]),
}


def test_no_column_is_forgotten():
    assert set(CHANGES) == set(T.c.keys())


def test_every_single_changed_field_of_every_transfer_is_found(books):
    missed = []
    for row in rows():
        for column, changed in CHANGES.items():
            found = attack(change(row["key"], **{column: changed(row)}))
            place = leaf_of(row["key"]) if column == "id" else row["key"]
            if not any(place in finding for finding in found):
                missed.append((row["key"], column))
    # An id is a name inside the database. The seal fixes the order of ids; what is not sealed yet has none.
    assert missed == [(key, "id") for key in OPEN]


def test_only_the_changed_transfer_is_named(books):
    assert attack(change("alice:1", amount=101)) == [
        f"a transfer is as it was booked: transfer {by_key('alice:1')['id']} (alice:1) of wallet "
        f"{by_key('alice:1')['wallet_id']} was changed: its content and its digest do not fit"
    ]
    assert {finding.partition(": ")[0] for finding in attack(change("alice:1", digest=GENESIS))} == {
        "a transfer is as it was booked",
        "a transfer is as it was sealed",
    }


def test_a_letter_of_an_explanation_counts(books):
    told = {"code": "opening", "steps": [], "note": "Ａ"}
    assert any("alice:1" in finding for finding in attack(change("alice:1", explanation=told)))


def test_what_could_never_be_booked_is_named_too(books):
    nonsense = [7.5, {"code": "opening", "steps": [], "times": 1.5}, [], "x", {"code": "erased"}, None]
    if db.engine.dialect.name == "sqlite":  # The other one refuses half a character itself.
        nonsense.append({"code": "\ud800", "steps": []})
    for value in nonsense:
        assert any("alice:2" in finding for finding in attack(change("alice:2", explanation=value))), value


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_what_sqlite_takes_against_the_type_of_a_column_is_named(books):
    for column, value in (
        ("occurred_at", "'yesterday'"),
        ("explanation", "'{'"),
        ("digest", "'abc'"),
        ("amount", "'many'"),
        ("amount", "1.5"),
        ("key", "x'ff'"),
    ):
        found = attack(sa.text(f"UPDATE transfer SET {column} = {value} WHERE key = 'alice:2'"))
        place = f"transfer {by_key('alice:2')['id']}"
        assert any(place in finding for finding in found), (column, found)


# --- rows -----------------------------------------------------------------------------------


def test_a_removed_transfer_is_missed(books):
    for row in rows():
        found = attack(sa.delete(T).where(T.c.id == row["id"]))
        assert any(f"wallet {row['wallet_id']}" in finding for finding in found)
        assert any(leaf_of(row["key"]) in finding for finding in found) is (row["key"] in SEALED)


def test_a_copy_is_recognised(books):
    for row in rows():
        last = max(each["sequence"] for each in rows() if each["wallet_id"] == row["wallet_id"])
        copy = {**row, "key": "copy", "sequence": last + 1, "phase": "single", "pending_id": None}
        for new_id in (-1, 5000):
            assert any("(copy)" in finding for finding in attack(sa.insert(T).values(copy | {"id": new_id})))


def test_two_neighbours_that_change_places_are_seen(books):
    for first, second in pairwise(SEALED):
        one, other = by_key(first), by_key(second)
        contents = [{name: value for name, value in row.items() if name != "id"} for row in (one, other)]
        found = attack(
            change(first, id=-7),
            change(second, id=one["id"]),
            sa.update(T).where(T.c.id == -7).values(id=other["id"]),
        )
        assert any(first in finding or second in finding for finding in found), (first, second, found)
        found = attack(
            sa.update(T).where(T.c.id == one["id"]).values(wallet_id=-7, key="?", phase="single", pending_id=None),
            sa.update(T).where(T.c.id == other["id"]).values(contents[0]),
            sa.update(T).where(T.c.id == one["id"]).values(contents[1]),
        )
        assert any(first in finding or second in finding for finding in found), (first, second, found)


def test_two_wallets_cannot_exchange_their_transfers(books):
    one, other = by_key("alice:2"), by_key("bob:2")
    assert one["sequence"] == other["sequence"]
    found = attack(
        change("alice:2", wallet_id=-7),
        change("bob:2", wallet_id=one["wallet_id"]),
        change("alice:2", wallet_id=other["wallet_id"]),
    )
    for key in ("alice:2", "bob:2"):
        assert any(f"({key})" in finding for finding in found)


# --- an attacker who knows the secrets and makes everything fit again -----------------------


def chain_anew(wallet_id):
    """Number a wallet's transfers, make their digests and its head anew, as if they had always been like this."""
    wallet = db.session.execute(sa.select(W).where(W.c.id == wallet_id)).mappings().one()
    head, number = GENESIS, 0
    for row in (
        db.session.execute(sa.select(T).where(T.c.wallet_id == wallet_id).order_by(T.c.sequence)).mappings().all()
    ):
        number += 1
        head = next_digest(head, wallet["secret"], dict(row) | {"sequence": number})
        db.session.execute(sa.update(T).where(T.c.id == row["id"]).values(sequence=number, digest=head))
    db.session.execute(sa.update(W).where(W.c.id == wallet_id).values(head=head, sequence=number))


def seal_anew():
    """Make tiles, roots and hashes of all checkpoints anew."""
    before, previous = 0, GENESIS
    for row in db.session.execute(sa.select(C).order_by(C.c.number)).mappings().all():
        leaves = b"".join(leaf_hash(digest) for _, digest in digests(before, row["last_id"], limit=99))
        tiles = dict(tiles_of(leaves))
        values = {"previous": previous, "root": root_of(tiles, len(leaves) // 32), "transfers": len(leaves) // 32}
        previous = sha256(content_of({**row, **values}).encode()).digest()
        db.session.execute(sa.update(C).where(C.c.number == row["number"]).values(hash=previous, **values))
        db.session.execute(sa.delete(S).where(S.c.checkpoint_number == row["number"]))
        for (level, position), hashes in tiles.items():
            tile = {"checkpoint_number": row["number"], "level": level, "position": position, "hashes": hashes}
            db.session.execute(sa.insert(S).values(tile))
        before = row["last_id"]


def test_a_chain_made_anew_is_found_by_the_tiles(books):
    row = by_key("alice:2")
    found = attack(change("alice:2", amount=2500), lambda: chain_anew(row["wallet_id"]))
    assert found[0] == (
        f"a transfer is as it was sealed: transfer {row['id']} (alice:2) of wallet {row['wallet_id']} "
        "is not what was sealed in checkpoint 1, leaf 2"
    )
    assert not any("bob" in finding or "alice:1" in finding for finding in found)


def test_a_removed_transfer_is_missed_also_when_the_chain_was_closed_over_it(books):
    row = by_key("alice:3")
    found = attack(sa.delete(T).where(T.c.key == "alice:3"), lambda: chain_anew(row["wallet_id"]))
    assert found == [
        f"a transfer is as it was sealed: checkpoint 2, leaf 3 is gone from the books, after transfer {row['id'] - 1}"
    ]


def test_every_sealed_transfer_is_missed_when_the_chain_was_closed_over_it(books):
    for key in SEALED:
        row = by_key(key)
        found = attack(sa.delete(T).where(T.c.key == key), lambda row=row: chain_anew(row["wallet_id"]))
        assert any("is gone from the books" in finding for finding in found)


def test_an_inserted_transfer_is_found_also_when_the_chain_was_made_to_fit(books):
    row = {**by_key("alice:2"), "key": "mallory", "amount": 1_000_000}
    make_room = sa.update(T).where(T.c.wallet_id == row["wallet_id"]).values(sequence=T.c.sequence + 100)
    close = lambda: chain_anew(row["wallet_id"])  # noqa: E731
    among_the_sealed = attack(make_room, sa.insert(T).values(row | {"id": -1, "sequence": 1}), close)
    assert any("(mallory)" in finding for finding in among_the_sealed)
    with_a_new_id = attack(make_room, sa.insert(T).values(row | {"id": 5000, "sequence": 1}), close)
    assert any("(alice:1)" in finding for finding in with_a_new_id)


def test_a_sealed_tail_cannot_be_cut_off(books):
    wallet_id = by_key("alice:3")["wallet_id"]
    found = attack(sa.delete(T).where(T.c.key.in_(("alice:3", "alice:4"))), lambda: chain_anew(wallet_id))
    assert any("checkpoint 2, leaf 3 is gone" in finding for finding in found)


def test_what_was_booked_since_the_last_checkpoint_is_only_as_safe_as_the_database(books):
    """The limit of all this, said openly: it is why the books are sealed every night."""
    wallet_id = by_key("alice:4")["wallet_id"]
    cut = sa.delete(T).where(T.c.key == "alice:4")
    assert any(f"wallet {wallet_id}" in finding for finding in attack(cut))
    assert attack(cut, lambda: chain_anew(wallet_id)) == []


def test_who_makes_everything_anew_is_found_by_what_people_saved(books):
    alice, _ = books
    saved = {f"{number}.json": published_one(number).document() for number in (1, 2)}
    kept = json.loads(json.dumps(receipt(alice.member_id, by_key("alice:2")["id"])))
    wallet_id = by_key("alice:2")["wallet_id"]
    with transaction() as session:
        session.execute(change("alice:2", amount=2500))
        chain_anew(wallet_id)
        seal_anew()
    assert findings() == []
    found = findings(against={**saved, "receipt.json": kept})
    assert [finding.partition(" is another checkpoint ")[2] for finding in found] == [
        "1 than the one in the books",
        "2 than the one in the books",
        "1 than the one in the books",
    ]


# --- tiles and checkpoints ------------------------------------------------------------------


def test_every_changed_removed_or_added_tile_is_found(books):
    for row in rows(S):
        this = sa.and_(S.c.checkpoint_number == row["checkpoint_number"], S.c.position == row["position"])
        place = f"checkpoint {row['checkpoint_number']}, level 0, tile 0"
        for statement in (
            sa.update(S).where(this).values(hashes=flipped(row["hashes"])),
            sa.update(S).where(this).values(hashes=row["hashes"][:-32]),
            sa.delete(S).where(this),
        ):
            assert [place in finding for finding in attack(statement)] == [True]
        more = sa.insert(S).values({**row, "level": 1})
        assert any("level 1" in finding for finding in attack(more))


CHECKPOINT_CHANGES = {
    "number": lambda row: row["number"] + 100,
    "closed_at": lambda row: row["closed_at"] + MICROSECOND,
    "first_id": lambda row: row["first_id"] + 1,
    "last_id": lambda row: row["last_id"] - 1,
    "transfers": lambda row: row["transfers"] + 1,
    "root": lambda row: flipped(row["root"]),
    "previous": lambda row: flipped(row["previous"]),
    "hash": lambda row: flipped(row["hash"]),
}


def test_no_column_of_a_checkpoint_is_forgotten():
    assert set(CHECKPOINT_CHANGES) == set(C.c.keys())


def test_every_single_changed_field_of_every_checkpoint_is_found(books):
    for row in rows(C):
        for column, changed in CHECKPOINT_CHANGES.items():
            values = {column: changed(row)}
            found = attack(sa.update(C).where(C.c.number == row["number"]).values(**values))
            place = f"checkpoint {values.get('number', row['number'])}"
            assert any(place in finding for finding in found), (column, found)


def test_a_removed_checkpoint_is_missed(books):
    saved = published_one(2).document()
    assert any("one is missing" in finding for finding in attack(sa.delete(C).where(C.c.number == 1)))
    with transaction() as session:
        session.execute(sa.delete(S).where(S.c.checkpoint_number == 2))
        session.execute(sa.delete(C).where(C.c.number == 2))
    assert findings() == []
    assert findings(against={"saved.json": saved}) == [
        "a saved checkpoint is still ours: saved.json is checkpoint 2, which is not in the books"
    ]


def test_a_head_or_a_secret_of_a_wallet_cannot_be_exchanged(books):
    for wallet in rows(W):
        this = sa.update(W).where(W.c.id == wallet["id"])
        found = attack(this.values(head=flipped(wallet["head"])))
        assert any(f"wallet {wallet['id']} " in finding for finding in found) is True
        found = attack(this.values(secret=flipped(wallet["secret"])))
        assert any(f"of wallet {wallet['id']} " in finding for finding in found) is (wallet["sequence"] > 0)


# --- the command ----------------------------------------------------------------------------


def test_the_command_names_the_place_and_exits_with_one(app, books, tmp_path):
    run = app.test_cli_runner().invoke
    saved = tmp_path / "saved.json"
    saved.write_text(json.dumps(published_one(2).document()))
    clean = run(args=["ledger", "verify", "--chain", "--against", str(saved)])
    assert clean.exit_code == 0, clean.output
    assert "ledger_checkpoint            2" in clean.output
    with transaction() as session:
        session.execute(change("alice:1", kind="gift"))
    assert run(args=["ledger", "verify"]).exit_code == 0  # The sums are right; only the chain knows.
    found = run(args=["ledger", "verify", "--chain", "--json"])
    assert found.exit_code == 1
    assert "(alice:1)" in json.loads(found.output)["findings"][0]["place"]


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "{}", '{"format": "jifen-checkpoint-1"}'])
def test_what_is_no_checkpoint_is_said_to_be_none(app, books, tmp_path, content):
    file = tmp_path / "other.json"
    file.write_text(content)
    told = app.test_cli_runner().invoke(args=["ledger", "verify", "--against", str(file)])
    assert told.exit_code in (1, 2)
    assert "other.json" in told.output
    assert told.exception is None or isinstance(told.exception, SystemExit)


def test_a_saved_checkpoint_that_was_edited_is_not_believed(books):
    saved = published_one(2).document()
    for bent in (
        saved | {"content": saved["content"].replace('"transfers":5', '"transfers":6')},
        saved | {"hash": "00" * 32},
        saved | {"log": {"root": "00" * 32, "path": saved["log"]["path"]}},
        saved | {"log": {"root": saved["log"]["root"], "path": []}},
    ):
        assert findings(against={"saved.json": bent}) == [
            "a saved checkpoint is still ours: saved.json does not fit itself: the file was changed"
        ]


# --- erasure --------------------------------------------------------------------------------


def test_erasing_a_members_reasons_keeps_chain_and_receipts(books):
    alice, bob = books
    one, other = by_key("alice:1"), by_key("bob:1")
    before = receipt(alice.member_id, one["id"])
    with transaction():
        assert erase_reasons(member_id=alice.member_id) == 7
    with transaction():
        assert erase_reasons(member_id=alice.member_id) == 0
    assert verify_chain().clean
    left = db.session.get_one(Transfer, one["id"]).explanation
    assert left["code"] == "erased"
    assert set(left) == {"code", "digest", "steps"}
    assert db.session.get_one(Transfer, other["id"]).explanation["code"] == "opening"
    assert len(explain(left)) == 1
    after = receipt(alice.member_id, one["id"])
    assert after == before | {"explanation": None}
    assert attack(change("alice:1", explanation=left | {"digest": "00" * 32})) != []
    assert bob.available
