"""The books are sealed: one hash over everything that was booked since the last one, for everybody to keep.

A checkpoint commits to the Merkle root over the digests of its transfers, by id, and to the checkpoint before it.
The checkpoints in turn are the leaves of the **log**, an RFC 6962 tree, so that a short proof shows for
any two of them that the later one goes on from the earlier one.

Ids must be drawn by the very statement that inserts, as ``INSERT`` does by itself: only then does the table's lock
tell that nothing below the greatest id is still to come.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import OperationalError

from app.foundation import clock
from app.foundation.database import db, insert_new, table_of, transaction
from app.foundation.errors import NotFound
from app.loyalty.ledger.chain import canonical, moment_text
from app.loyalty.ledger.merkle import HASH, Frontier, complete_in, consistency_path, leaf_hash, root, tree_root
from app.loyalty.ledger.models import Checkpoint, Tile, Transfer
from app.loyalty.ledger.tiles import Place, complete_from, tiles_of

log = logging.getLogger(__name__)

FORMAT = "jifen-checkpoint-1"
CONSISTENCY = "jifen-consistency-1"
BEGINNING = bytes(HASH)  # What the first checkpoint follows.
BATCH = 20_000  # Digests that are read at a time.
AT_MOST = 2**20  # Transfers of one checkpoint, so that its hashes fit into 32 MB; a day may have several.
LOCK_TIMEOUT = "2s"


# --- sealing --------------------------------------------------------------------------------


def is_due(*, now: datetime) -> bool:
    """Is there a transfer of an earlier day of the programme that no checkpoint covers?"""
    first = sa.select(Transfer.recorded_at).where(Transfer.id > _sealed_to()).order_by(Transfer.id).limit(1)
    recorded_at = db.session.scalar(first)
    zone = clock.programme_zone()
    return recorded_at is not None and clock.local_date(recorded_at, zone) < clock.local_date(now, zone)


def seal(*, now: datetime) -> list[int]:
    """Cover every transfer that is booked by now; returns the numbers of the new checkpoints.

    Opens transactions of its own: a short one that waits for postings under way, and one for each checkpoint.
    Empty where there is nothing new, or where the wait took too long: then the next try does it.
    """
    numbers: list[int] = []
    last_id = _last_settled_id()
    while last_id is not None and (checkpoint := _next_checkpoint(last_id, now=now)):
        row, tiles = checkpoint
        with transaction():
            # Whoever seals at the same time takes the same number; one of the two comes too late.
            if not insert_new(Checkpoint, [row], unless=[], returning=[Checkpoint.number]):
                break
            db.session.execute(sa.insert(table_of(Tile)), tiles)
        numbers.append(row["number"])
    return numbers


def _last_settled_id() -> int | None:
    """An id up to which every transfer is committed or will never be; ``None`` if that cannot be said now.

    Ids are drawn before transactions commit, so a smaller one may become visible after a greater one. The
    lock waits for all transactions that write transfers, holds new ones off for a moment, and is released at once.
    """
    try:
        with transaction() as session:
            if session.connection().dialect.name == "postgresql":
                session.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
                session.execute(sa.text("LOCK TABLE transfer IN SHARE MODE"))
            return session.scalar(sa.select(sa.func.max(Transfer.id)))
    except OperationalError as error:
        log.warning("The books were not sealed, a transaction is still writing: %s", error.orig)
        return None


def _sealed_to() -> sa.ScalarSelect[int]:
    return sa.select(sa.func.coalesce(sa.func.max(Checkpoint.last_id), 0)).scalar_subquery()


def _next_checkpoint(up_to: int, *, now: datetime) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
    """The rows of the next checkpoint and of its tiles, or ``None`` where nothing is left to seal."""
    db.session.rollback()
    before = db.session.execute(
        sa.select(Checkpoint.number, Checkpoint.last_id, Checkpoint.hash).order_by(Checkpoint.number.desc()).limit(1)
    ).one_or_none()
    number, sealed_to, previous = before or (0, 0, BEGINNING)
    ids, leaves = [0, 0], bytearray()
    for transfer_id, digest in digests(sealed_to, up_to, limit=AT_MOST):
        ids = [ids[0] or transfer_id, transfer_id]
        leaves += leaf_hash(digest)
    db.session.rollback()
    if not leaves:
        return None
    tiles = list(tiles_of(bytes(leaves)))
    row: dict[str, Any] = {
        "number": number + 1,
        "closed_at": now,
        "first_id": ids[0],
        "last_id": ids[1],
        "transfers": len(leaves) // HASH,
        "root": root_of(dict(tiles), len(leaves) // HASH),
        "previous": previous,
    }
    row["hash"] = sha256(content_of(row).encode()).digest()
    return row, [
        {"checkpoint_number": number + 1, "level": level, "position": position, "hashes": hashes}
        for (level, position), hashes in tiles
    ]


def digests(after: int, up_to: int, *, limit: int) -> Iterator[tuple[int, bytes]]:
    """The first ``limit`` transfers with ``after < id <= up_to``: id and digest, by id."""
    while limit > 0:
        wanted = sa.select(Transfer.id, Transfer.digest).where(Transfer.id > after, Transfer.id <= up_to)
        rows = db.session.execute(wanted.order_by(Transfer.id).limit(min(BATCH, limit))).all()
        if not rows:
            return
        yield from ((row[0], row[1]) for row in rows)
        after, limit = rows[-1][0], limit - len(rows)


def root_of(tiles: Mapping[Place, bytes], size: int) -> bytes:
    """The root of a tree of ``size`` leaves by its tiles. Raises ``KeyError`` where one of them is missing."""
    return tree_root(size, complete_from(lambda level, position: tiles[level, position]))


def content_of(row: Mapping[Any, Any]) -> str:
    """What the hash of a checkpoint covers, as the text that is hashed. ``row`` has its columns."""
    return canonical(
        {
            "number": row["number"],
            "closed_at": moment_text(row["closed_at"]),
            "first": row["first_id"],
            "last": row["last_id"],
            "transfers": row["transfers"],
            "root": row["root"].hex(),
            "previous": row["previous"].hex(),
        }
    )


# --- publishing -----------------------------------------------------------------------------


class NoCheckpoint(NotFound):
    def __init__(self, number: int) -> None:
        super().__init__(_("There is no checkpoint %(number)s.", number=number))


@dataclass(frozen=True, slots=True)
class Published:
    """A checkpoint as everybody may see it, with the log as it was when this was its last leaf."""

    number: int
    closed_at: datetime
    transfers: int
    root: bytes
    previous: bytes
    hash: bytes
    content: str
    log_root: bytes
    log_path: list[bytes]

    def document(self) -> dict[str, Any]:
        """``content`` is the text under ``hash``; ``log`` leads from ``hash`` to the root of the log that ends here."""
        return {
            "format": FORMAT,
            "content": self.content,
            "hash": self.hash.hex(),
            "log": {"root": self.log_root.hex(), "path": [part.hex() for part in self.log_path]},
        }


def last_number() -> int:
    """The number of the latest checkpoint; 0 before the first."""
    return db.session.scalar(sa.select(sa.func.max(Checkpoint.number))) or 0


def published(first: int, last: int) -> list[Published]:
    """The checkpoints with these numbers, in order; those that exist."""
    log_so_far = Frontier()
    for each in db.session.scalars(_hashes(first - 1)):
        log_so_far.append(leaf_hash(each))
    found = []
    wanted = sa.select(table_of(Checkpoint)).where(Checkpoint.number.between(first, last))
    for row in db.session.execute(wanted.order_by(Checkpoint.number)).mappings():
        path = log_so_far.path_of_next()
        log_so_far.append(leaf_hash(row["hash"]))
        shown = {name: row[name] for name in ("number", "closed_at", "transfers", "root", "previous", "hash")}
        found.append(Published(**shown, content=content_of(row), log_root=log_so_far.root(), log_path=path))
    return found


def published_one(number: int) -> Published:
    """Raises ``NoCheckpoint``."""
    found = published(number, number)
    if not found:
        raise NoCheckpoint(number)
    return found[0]


def consistency(first: int, second: int) -> dict[str, Any]:
    """The proof that the log up to checkpoint ``first`` is the beginning of the log up to ``second``.

    Raises ``NoCheckpoint``.
    """
    if not 0 < first <= second:
        raise NoCheckpoint(min(first, second))
    leaves = [leaf_hash(each) for each in db.session.scalars(_hashes(second))]
    if len(leaves) < second:
        raise NoCheckpoint(second)
    return {
        "format": CONSISTENCY,
        "first": first,
        "second": second,
        "first_root": root(leaves[:first]).hex(),
        "second_root": root(leaves).hex(),
        "path": [part.hex() for part in consistency_path(first, second, complete_in(leaves))],
    }


def _hashes(up_to: int) -> sa.Select[bytes]:
    return sa.select(Checkpoint.hash).where(Checkpoint.number <= up_to).order_by(Checkpoint.number)
