"""``flask ledger verify --chain``: is every transfer still what it was when it was booked, and when it was sealed?

Two walks over the books, each in the order of an index and with bounded memory. By wallet: every digest is made anew
from the content and the digest before it, and the last one is the wallet's head. By id: the digests are the leaves of
the checkpoints' trees, in tiles, roots and hashes. Whoever changes a transfer and makes the wallet's chain anew is
found by the tiles; whoever makes those anew as well, by the first checkpoint that somebody saved.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, table_of
from app.loyalty.ledger.chain import GENESIS, content_of, digest_after, salt_of
from app.loyalty.ledger.checkpoints import BATCH, BEGINNING, FORMAT, digests, published, root_of
from app.loyalty.ledger.checkpoints import content_of as checkpoint_content
from app.loyalty.ledger.merkle import leaf_hash, root, root_by_inclusion
from app.loyalty.ledger.models import Checkpoint, Tile, Transfer, Wallet
from app.loyalty.ledger.tiles import Place, split, tiles_of

SHOWN = 20
NO_LIMIT = 2**63
BEFORE_ALL = -(2**63)  # Nobody draws an id below zero, but somebody could write one.

AS_BOOKED = "a transfer is as it was booked"
NONE_MISSING = "no transfer is missing"
HEAD = "a wallet's head is its last transfer"
IN_A_WALLET = "a transfer belongs to a wallet"
AS_SEALED = "a transfer is as it was sealed"
TILES = "tiles hold what was sealed"
ROOTS = "a checkpoint's root is that of its transfers"
CHECKPOINTS = "checkpoints are chained"
SAVED = "a saved checkpoint is still ours"
READABLE = "every row can be read"
CHECKS = (AS_BOOKED, NONE_MISSING, HEAD, IN_A_WALLET, AS_SEALED, TILES, ROOTS, CHECKPOINTS, SAVED, READABLE)
# What comes of values that a column cannot hold; SQLite lets somebody write them all the same.
NONSENSE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class ChainFinding:
    """What does not hold: which check, where, and what is wrong there."""

    check: str
    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.check}: {self.place} {self.problem}"


@dataclass(slots=True)
class ChainReport:
    """``counts`` is what was looked at, ``findings`` what is wrong: at most ``SHOWN`` per check, and how many more."""

    counts: Counter[str] = field(default_factory=Counter)
    checks: int = len(CHECKS)
    findings: list[ChainFinding] = field(default_factory=list)
    _found: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not self.findings

    def add(self, check: str, place: str, problem: str) -> None:
        self._found[check] += 1
        if self._found[check] <= SHOWN:
            self.findings.append(ChainFinding(check, place, problem))

    def say_how_many_more(self) -> None:
        for check, found in self._found.items():
            if found > SHOWN:
                self.findings.append(ChainFinding(check, f"{found - SHOWN} more", "like these"))


def verify_chain(*, against: Mapping[str, Any] | None = None) -> ChainReport:
    """Walk all chains and checkpoints. Reads only.

    ``against`` are saved checkpoints or receipts, by the name of their file.
    """
    report = ChainReport()
    for name in ("wallet", "transfer", "ledger_checkpoint"):
        report.counts[name] = 0
    try:
        _walk_wallets(report)
        _look_for_strays(report)
        _walk_checkpoints(report)
    except NONSENSE:
        _name_the_unreadable(report)
        if report.clean:
            raise
    for name, document in (against or {}).items():
        _compare(report, name, document)
    report.say_how_many_more()
    return report


def transfer_name(row: Mapping[Any, Any]) -> str:
    return f"transfer {row['id']} ({row['key']}) of wallet {row['wallet_id']}"


# --- by wallet ------------------------------------------------------------------------------


class _Walk:
    """Along the chain of one wallet. ``before`` are the digests that the next transfer may follow; empty: unknown."""

    def __init__(self, report: ChainReport, wallet: Sequence[Any]) -> None:
        self.report = report
        self.id: int = wallet[0]
        self.secret: bytes = wallet[1]
        self.head: bytes = wallet[2]
        self.sequence: int = wallet[3]
        self.before = [GENESIS]
        self.at = 0

    def step(self, row: Mapping[str, Any]) -> None:
        self.report.counts["transfer"] += 1
        self._count(row)
        salt = salt_of(self.secret, row["sequence"])
        try:
            content = content_of(row, salt)
        except NONSENSE:
            content = ""  # Nothing that could ever have been booked: half a character, a float, a list for an object.
        made = [digest_after(each, salt, content) for each in self.before]
        if content and (row["digest"] in made or not made):
            self.before = [row["digest"]]
            return
        self.report.add(AS_BOOKED, transfer_name(row), "was changed: its content and its digest do not fit")
        # Either of the two was changed; what follows tells which, and need not be reported too.
        self.before = [row["digest"], *made[:1]]

    def _count(self, row: Mapping[str, Any]) -> None:
        if row["sequence"] != self.at + 1:
            gap = f"{self.at + 1}" if row["sequence"] == self.at + 2 else f"{self.at + 1} to {row['sequence'] - 1}"
            problem = f"has no transfer number {gap}, before {transfer_name(row)}"
            self.report.add(NONE_MISSING, f"wallet {self.id}", problem)
            self.before = []
        self.at = row["sequence"]

    def end(self) -> None:
        self.report.counts["wallet"] += 1
        if self.at != self.sequence:
            problem = f"ends with transfer number {self.at} and counts {self.sequence}"
            self.report.add(NONE_MISSING, f"wallet {self.id}", problem)
        elif self.before and self.head not in self.before:
            self.report.add(HEAD, f"wallet {self.id}", f"has another head than its transfer number {self.at}")


def _walk_wallets(report: ChainReport) -> None:
    # One statement, so that a transfer that is booked meanwhile is seen with its wallet or not at all.
    wallet, transfer = table_of(Wallet).c, table_of(Transfer).c
    names = transfer.keys()
    both = sa.select(wallet.id, wallet.secret, wallet.head, wallet.sequence, *transfer)
    both = both.join(table_of(Transfer), transfer.wallet_id == wallet.id, isouter=True)
    both = both.order_by(wallet.id, transfer.sequence)
    walk: _Walk | None = None
    with db.session.connection().execute(both, execution_options={"yield_per": BATCH // 10}) as rows:
        for row in rows:
            if walk is None or walk.id != row[0]:
                if walk:
                    walk.end()
                walk = _Walk(report, row)
            if row[4] is not None:
                walk.step(dict(zip(names, row[4:], strict=True)))
    if walk:
        walk.end()


def _look_for_strays(report: ChainReport) -> None:
    strays = sa.select(Transfer.id, Transfer.key, Transfer.wallet_id)
    strays = strays.join(Wallet, Wallet.id == Transfer.wallet_id, isouter=True).where(Wallet.id.is_(None))
    for row in db.session.execute(strays.order_by(Transfer.id)).mappings():
        report.add(IN_A_WALLET, transfer_name(row), "has no such wallet")


def _name_the_unreadable(report: ChainReport) -> None:
    """The walk stumbled: look at every row by itself."""
    for model in (Wallet, Transfer, Checkpoint, Tile):
        table = table_of(model)
        keys = db.session.execute(sa.select(*table.primary_key)).all()
        for key in keys:
            this = sa.and_(*(column == value for column, value in zip(table.primary_key, key, strict=True)))
            try:
                db.session.execute(sa.select(table).where(this)).one()
            except NONSENSE:
                place = f"{table.name} {', '.join(map(str, key))}"
                report.add(READABLE, place, "holds what its columns cannot hold; nothing after it was checked")


# --- by checkpoint --------------------------------------------------------------------------


def _walk_checkpoints(report: ChainReport) -> None:
    number, sealed_to, previous = 0, BEFORE_ALL, BEGINNING
    for row in db.session.execute(sa.select(table_of(Checkpoint)).order_by(Checkpoint.number)).mappings().all():
        report.counts["ledger_checkpoint"] += 1
        place = f"checkpoint {row['number']}"
        if row["number"] != number + 1:
            report.add(CHECKPOINTS, place, f"follows checkpoint {number}; between them one is missing")
            sealed_to = row["first_id"] - 1
        elif row["previous"] != previous:
            report.add(CHECKPOINTS, place, f"does not name checkpoint {number} as the one before it")
        if sha256(checkpoint_content(row).encode()).digest() != row["hash"]:
            report.add(CHECKPOINTS, place, "was changed: its content and its hash do not fit")
        _check_seal(report, row, sealed_to)
        number, sealed_to, previous = row["number"], row["last_id"], row["hash"]


def _check_seal(report: ChainReport, checkpoint: Mapping[Any, Any], sealed_to: int) -> None:
    """Do the transfers of this checkpoint give its tiles and its root?"""
    place = f"checkpoint {checkpoint['number']}"
    ids, leaves = [], bytearray()
    for transfer_id, digest in digests(sealed_to, checkpoint["last_id"], limit=NO_LIMIT):
        ids.append(transfer_id)
        leaves += leaf_hash(digest)
    expected = dict(tiles_of(bytes(leaves)))
    kept = _tiles(checkpoint["number"])
    right = bool(ids) and root_of(expected, len(ids)) == checkpoint["root"]
    if right and kept == expected and len(ids) == checkpoint["transfers"] and ids[0] == checkpoint["first_id"]:
        return
    sealed = split(b"".join(hashes for (level, _), hashes in sorted(kept.items()) if level == 0))
    if right:
        if len(ids) != checkpoint["transfers"] or ids[0] != checkpoint["first_id"]:
            problem = f"covers {len(ids)} transfers from {ids[0]} on, and says otherwise"
            report.add(ROOTS, place, problem)
    elif root(sealed) == checkpoint["root"]:
        expected = dict(tiles_of(b"".join(sealed)))
        _name_the_changed(report, checkpoint["number"], ids, split(bytes(leaves)), sealed)
    else:
        report.add(ROOTS, place, "has a root that neither its transfers nor its tiles give")
        _name_the_changed(report, checkpoint["number"], ids, split(bytes(leaves)), sealed)
        return
    for level, position in sorted(kept.keys() | expected.keys()):
        if kept.get((level, position)) != expected.get((level, position)):
            report.add(TILES, f"{place}, level {level}, tile {position}", "was changed, removed or put in")


def _tiles(number: int) -> dict[Place, bytes]:
    wanted = sa.select(Tile.level, Tile.position, Tile.hashes).where(Tile.checkpoint_number == number)
    return {(level, position): bytes(hashes) for level, position, hashes in db.session.execute(wanted)}


def _name_the_changed(
    report: ChainReport, number: int, ids: Sequence[int], found: Sequence[bytes], sealed: Sequence[bytes]
) -> None:
    """Lay the leaves that were found beside those that were sealed, and say which transfers differ."""
    place_of = {leaf: place for place, leaf in enumerate(sealed)}
    known = set(found)
    changed, gone, before, follows = [], [], 0, -1
    for at in range(len(found) + 1):
        place = place_of.get(found[at]) if at < len(found) else len(sealed)
        if place is None:
            changed.append(ids[at])
            continue
        if place < follows:
            report.add(AS_SEALED, _by_id(ids[at]), f"stands elsewhere than in checkpoint {number}, leaf {place}")
            continue
        gone = [leaf for leaf in range(follows + 1, place) if sealed[leaf] not in known]
        _say_what_changed(report, number, changed, gone, before)
        changed, follows = [], place
        before = ids[at] if at < len(found) else before


def _say_what_changed(
    report: ChainReport, number: int, changed: Sequence[int], gone: Sequence[int], before: int
) -> None:
    """Between two leaves that are as they were: transfers that were not sealed like this, and leaves that are gone."""
    for transfer_id, leaf in zip(changed, gone, strict=False):
        report.add(AS_SEALED, _by_id(transfer_id), f"is not what was sealed in checkpoint {number}, leaf {leaf}")
    for transfer_id in changed[len(gone) :]:
        report.add(AS_SEALED, _by_id(transfer_id), f"was put in after checkpoint {number} was sealed")
    for leaf in gone[len(changed) :]:
        after = f"after transfer {before}" if before else "at its beginning"
        report.add(AS_SEALED, f"checkpoint {number}, leaf {leaf}", f"is gone from the books, {after}")


def _by_id(transfer_id: int) -> str:
    wanted = sa.select(Transfer.id, Transfer.key, Transfer.wallet_id).where(Transfer.id == transfer_id)
    return transfer_name(db.session.execute(wanted).mappings().one())


# --- against what people saved --------------------------------------------------------------


def _compare(report: ChainReport, name: str, document: Any) -> None:
    """A saved checkpoint, or the one in a receipt: is it still in our books, and in the same log?"""
    try:
        saved = document.get("checkpoint", document)
        if saved["format"] != FORMAT:
            raise ValueError(saved["format"])
        number = json.loads(saved["content"])["number"]
        claimed, log_root = bytes.fromhex(saved["hash"]), bytes.fromhex(saved["log"]["root"])
        path = [bytes.fromhex(part) for part in saved["log"]["path"]]
        fits = sha256(saved["content"].encode()).digest() == claimed
        fits = fits and root_by_inclusion(leaf_hash(claimed), number - 1, number, path) == log_root
    except (AttributeError, KeyError, TypeError, ValueError):
        report.add(SAVED, name, "is not a checkpoint that anybody could check")
        return
    ours = next(iter(published(number, number)), None)
    if not fits:
        report.add(SAVED, name, "does not fit itself: the file was changed")
    elif ours is None:
        report.add(SAVED, name, f"is checkpoint {number}, which is not in the books")
    elif ours.hash != claimed:
        report.add(SAVED, name, f"is another checkpoint {number} than the one in the books")
    elif ours.log_root != log_root:
        report.add(SAVED, name, f"has another log before checkpoint {number} than the books")
