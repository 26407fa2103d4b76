"""A receipt proves a line without us: the stand-alone program says yes to true ones, and no to any changed byte."""

from __future__ import annotations

import ast
import copy
import json
import runpy
import subprocess
import sys

import pytest
import sqlalchemy as sa

from app.config import ROOT
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.identity.members.models import Member
from app.loyalty.ledger import actions, checkpoints
from app.loyalty.ledger.checkpoints import consistency, published_one, seal
from app.loyalty.ledger.erasure import erase_reasons
from app.loyalty.ledger.models import Tile, Transfer, Wallet
from app.loyalty.ledger.receipts import NotSealedYet, SealBroken, receipt
from tests.conftest import NOON
from tests.loyalty.ledger.conftest import DAY, WHY, make_teller

SCRIPT = ROOT / "static" / "verify_receipt.py"
FOREIGN = "另一个账本"


def id_of(key):
    return db.session.scalar(sa.select(Transfer.id).where(Transfer.key == key))


@pytest.fixture
def sealed(alice, bob):
    """Four checkpoints of a few transfers each."""
    for day in range(4):
        for turn in range(3):
            alice.award(10 + turn, f"alice:{day}:{turn}")
            bob.award(7, f"bob:{day}:{turn}")
        seal(now=NOON + day * DAY)
    return alice


@pytest.fixture
def check(tmp_path, monkeypatch, capsys):
    """What the program says to documents: (exit code, words)."""
    program = runpy.run_path(str(SCRIPT))

    def run(document, *, saved=(), proofs=()):
        names = write(tmp_path, document, *saved, *proofs)
        options = [f"--checkpoint={name}" for name in names[1 : 1 + len(saved)]]
        options += [f"--consistency={name}" for name in names[1 + len(saved) :]]
        monkeypatch.setattr(sys, "argv", ["verify_receipt.py", names[0], *options])
        code, told = program["main"](), capsys.readouterr()
        return code, told.out + told.err

    return run


def write(folder, *documents):
    """A file for each; what is text already is written as it is."""
    names = []
    for number, each in enumerate(documents):
        text = each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
        (folder / f"{number}.json").write_text(text, "utf-8")
        names.append(str(folder / f"{number}.json"))
    return names


def test_the_program_runs_alone(sealed, tmp_path):
    """In isolated mode nothing but the standard library can be imported."""
    true = receipt(sealed.member_id, id_of("alice:2:1"))
    for document, code in ((true, 0), (true | {"salt": "00" * 32}, 1), ("{", 2)):
        command = [sys.executable, "-I", str(SCRIPT), *write(tmp_path, document)]
        assert subprocess.run(command, capture_output=True, cwd=tmp_path, check=False).returncode == code


def test_the_program_uses_the_standard_library_only():
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert modules == {"argparse", "json", "sys", "hashlib"}


def test_a_receipt_holds(sealed, check):
    code, told = check(receipt(sealed.member_id, id_of("alice:2:1")))
    assert code == 0, told
    assert "purchase: 11, reference alice:2:1" in told
    assert told.count("[ok]") == 4
    assert "Everything holds." in told


def test_every_line_of_the_wallet_has_a_receipt(sealed):
    for key in db.session.scalars(sa.select(Transfer.key).where(Transfer.key.like("alice:%"))).all():
        found = receipt(sealed.member_id, id_of(key))
        assert json.loads(found["content"])["key"] == key
        assert 0 <= found["leaf_index"] < found["tree_size"] == 6


def test_a_receipt_says_nothing_about_the_person_nor_the_secret(app, check):
    teller = make_teller("carol")
    with transaction():
        carol = db.session.get_one(Member, teller.member_id)
        carol.name, carol.email, carol.phone = "Carol Danvers", "carol@example.com", "+8613900139000"
    teller.award(10, "carol:1")
    seal(now=NOON)
    text = json.dumps(receipt(teller.member_id, id_of("carol:1")))
    for secret in db.session.scalars(sa.select(Wallet.secret)):
        assert secret.hex() not in text
    assert not any(word in text for word in ("Carol", "carol@", "139001"))


def test_nobody_elses_receipt(sealed, bob):
    assert receipt(bob.member_id, id_of("alice:2:1")) is None
    assert receipt(sealed.member_id, 10**9) is None


def test_what_is_not_sealed_has_no_receipt_yet(sealed):
    sealed.award(1, "today")
    with pytest.raises(NotSealedYet, match="tonight"):
        receipt(sealed.member_id, id_of("today"))


def test_gaps_between_ids_do_not_hide_a_line(app, alice, monkeypatch):
    """Numbers that a transaction drew and gave back are gaps; a line is found in the tiles all the same."""
    monkeypatch.setattr(checkpoints, "AT_MOST", 10_000)
    award = lambda n: actions.Award(  # noqa: E731
        member_id=alice.member_id, amount=Points(1), key=f"n:{n}", kind="purchase", explanation=WHY, occurred_at=NOON
    )
    with transaction():
        actions.award_many([award(n) for n in range(400)], now=NOON)
    alice.award(1, "before the gap")
    if db.engine.dialect.name == "postgresql":
        with transaction() as session:
            session.execute(sa.text("SELECT setval(pg_get_serial_sequence('transfer', 'id'), 5000)"))
    with transaction():
        actions.award_many([award(n) for n in range(400, 700)], now=NOON)
    seal(now=NOON)
    reads = []
    note = lambda *args: reads.append(args[2])  # noqa: E731
    sa.event.listen(db.engine, "before_cursor_execute", note)
    places = [receipt(alice.member_id, id_of(f"n:{n}"))["leaf_index"] for n in (0, 399, 400, 699)]
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert places == [0, 399, 401, 700]
    assert not any("count(" in statement for statement in reads)


# --- what is changed is found, and the step is named ------------------------------------------


def flip(hexes):
    return ("1" if hexes[0] == "0" else "0") + hexes[1:]


def bend(document, *place):
    """A copy with one value changed."""
    bent = copy.deepcopy(document)
    *way, last = place
    inner = bent
    for step in way:
        inner = inner[step]
    value = inner[last]
    inner[last] = value + 1 if isinstance(value, int) else value.replace("1", "2", 1) if " " in value else flip(value)
    return bent


def test_every_changed_value_is_found_and_the_step_is_named(sealed, check):
    true = receipt(sealed.member_id, id_of("alice:2:1"))
    wrong = {
        "reason": [true | {"explanation": '{"code":"gift","steps":[]}'}],
        "line": [
            true | {"content": true["content"].replace('"amount":11', '"amount":1100')},
            true | {"content": true["content"].replace('"kind"', ' "kind"')},
            *(bend(true, name) for name in ("salt", "previous", "leaf_index", "tree_size")),
            *(bend(true, "path", place) for place in range(len(true["path"]))),
            true | {"path": true["path"][:-1]},
            true | {"path": [*true["path"], "00" * 32]},
        ],
        "whole": [
            bend(true, "checkpoint", "hash"),
            true | {"checkpoint": edited(true["checkpoint"], '"number":3', '"number":2')},
            true | {"checkpoint": edited(true["checkpoint"], '"closed_at":"2026', '"closed_at":"2025')},
        ],
        "log": [bend(true, "checkpoint", "log", "root"), bend(true, "checkpoint", "log", "path", 0)],
    }
    for step, documents in wrong.items():
        for document in documents:
            code, told = check(document)
            assert code == 1, told
            assert any(step in line for line in told.splitlines() if "[WRONG]" in line), told


def edited(checkpoint, old, new):
    assert old in checkpoint["content"]
    return checkpoint | {"content": checkpoint["content"].replace(old, new)}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "jifen-receipt-1"}', "\ufeff", '{"format": "' + FOREIGN + '"}']
)
def test_what_is_no_receipt_is_said_to_be_none(check, text):
    code, told = check(text)
    assert code == 2
    assert "Cannot be read" in told


def test_files_of_the_wrong_shape_end_with_a_sentence(sealed, check):
    true = receipt(sealed.member_id, id_of("alice:2:1"))
    for name in true:
        for nonsense in (None, [], {}, 7.5, "x", -1, True):
            if (name, nonsense) != ("explanation", None):
                assert check(true | {name: nonsense})[0] in (1, 2), (name, nonsense)
    assert check(true | {"path": "00"})[0] == 2
    assert check(true | {"checkpoint": {}})[0] == 2
    assert check(true | {"leaf_index": True})[0] == 2


# --- with what people saved -----------------------------------------------------------------


@pytest.mark.parametrize("place", ["content", "explanation", "format"])
@pytest.mark.parametrize("text", ["\ud800", "[" * 200_000])
def test_what_no_reader_can_take_is_no_traceback(sealed, check, place, text):
    code, words = check(json.dumps(receipt(sealed.member_id, id_of("alice:0:0")) | {place: text}))
    assert code == (1 if (place, text[0]) == ("explanation", "[") else 2)
    assert "Everything holds" not in words


def test_a_receipt_cannot_write_a_verdict_of_its_own(sealed, check):
    true = receipt(sealed.member_id, id_of("alice:0:0"))
    forged = json.dumps(json.loads(true["content"]) | {"kind": "x\nEverything holds.\x1b[8m"})
    code, words = check(true | {"content": forged, "explanation": "\x1b[2J\rEverything holds.\n"})
    assert code == 1
    assert "\x1b" not in words
    assert not any(line.startswith("Everything holds") for line in words.splitlines())


def test_saved_checkpoints_older_and_newer_belong_to_the_same_log(sealed, check):
    true = receipt(sealed.member_id, id_of("alice:2:1"))
    saved = {number: published_one(number).document() for number in (1, 3, 4)}
    proofs = [consistency(1, 3), consistency(3, 4)]
    code, told = check(true, saved=[saved[4], saved[1], saved[3]], proofs=proofs)
    assert code == 0, told
    assert "[ok] checkpoint 4 continues checkpoint 3" in told
    assert "[ok] both files show the same checkpoint 3" in told
    code, told = check(true, saved=[saved[4]])
    assert code == 1
    assert "give --consistency consistency-3-4.json" in told
    code, told = check(true, saved=[saved[4]], proofs=[bend(proofs[1], "path", 0)])
    assert code == 1
    assert "[WRONG] checkpoint 4 continues checkpoint 3" in told


def test_a_receipt_of_rewritten_books_does_not_fit_a_saved_checkpoint(sealed, check):
    saved = [published_one(number).document() for number in (3, 4)]
    with transaction() as session:  # As if the books had been sealed differently from the third day on.
        session.execute(sa.delete(Tile).where(Tile.checkpoint_number >= 3))
        session.execute(sa.text("DELETE FROM ledger_checkpoint WHERE number >= 3"))
    seal(now=NOON + 5 * DAY)
    rewritten = receipt(sealed.member_id, id_of("alice:2:1"))
    assert check(rewritten)[0] == 0
    code, told = check(rewritten, saved=saved[:1])
    assert code == 1
    assert "[WRONG] both files show the same checkpoint 3" in told
    code, told = check(rewritten, saved=saved[1:], proofs=[consistency(3, 3) | {"second": 4}])
    assert code == 1


# --- erasure and damage ---------------------------------------------------------------------


def test_a_receipt_outlives_the_erasure_of_its_reason(sealed, check):
    before = receipt(sealed.member_id, id_of("alice:2:1"))
    with transaction():
        erase_reasons(member_id=sealed.member_id)
    assert check(before)[0] == 0
    code, told = check(receipt(sealed.member_id, id_of("alice:2:1")))
    assert code == 0
    assert "its text is no longer kept" in told


@pytest.mark.tampering
def test_there_is_no_receipt_for_what_was_changed(sealed):
    with transaction() as session:
        session.execute(sa.update(Transfer).where(Transfer.key == "alice:2:1").values(digest=b"x" * 32))
    with pytest.raises(SealBroken):
        receipt(sealed.member_id, id_of("alice:2:1"))
    with transaction() as session:
        session.execute(sa.delete(Tile))
    with pytest.raises(SealBroken):
        receipt(sealed.member_id, id_of("alice:0:1"))
