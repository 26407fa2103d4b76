"""A receipt: everything that a member needs to prove a line of the books without us.

It shows one transfer and its salt, and how its hash leads to a checkpoint that is public. It says nothing about other
transfers, and neither the wallet's secret nor anything about the person is in it.
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation.database import db
from app.foundation.errors import DomainError
from app.loyalty.ledger.chain import ERASED, GENESIS, canonical, content_of, salt_of
from app.loyalty.ledger.checkpoints import published_one
from app.loyalty.ledger.merkle import inclusion_path, leaf_hash
from app.loyalty.ledger.models import Checkpoint, Tile, Transfer, Wallet
from app.loyalty.ledger.tiles import WIDTH, complete_from, split

log = logging.getLogger(__name__)

FORMAT = "jifen-receipt-1"


class NotSealedYet(DomainError):
    """The transfer is younger than the last checkpoint."""

    def __init__(self) -> None:
        super().__init__(_("This line is sealed tonight, together with everything else of today. Come back tomorrow."))


class SealBroken(DomainError):
    """What was sealed is not what stands in the books: ``flask ledger verify --chain`` says more."""

    def __init__(self) -> None:
        super().__init__(_("This line is not as it was sealed, so there is no receipt for it. Please tell us."))


def receipt(member_id: int, transfer_id: int) -> dict[str, Any] | None:
    """The receipt of a member's own transfer; ``None`` for anybody else's. Raises ``NotSealedYet``."""
    found = db.session.execute(
        sa.select(Transfer, Wallet.secret)
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Wallet.member_id == member_id, Transfer.id == transfer_id)
    ).one_or_none()
    if found is None:
        return None
    transfer, secret = found
    checkpoint = db.session.scalar(
        sa.select(Checkpoint).where(Checkpoint.last_id >= transfer_id).order_by(Checkpoint.last_id).limit(1)
    )
    if checkpoint is None:
        raise NotSealedYet
    index, path = _inclusion(checkpoint, transfer)
    row = {column.key: getattr(transfer, column.key) for column in sa.inspect(Transfer).columns}
    salt = salt_of(secret, transfer.sequence)
    erased = transfer.explanation.get("code") == ERASED
    return {
        "format": FORMAT,
        "content": content_of(row, salt),
        "explanation": None if erased else canonical(transfer.explanation),
        "salt": salt.hex(),
        "previous": _digest_before(transfer).hex(),
        "leaf_index": index,
        "tree_size": checkpoint.transfers,
        "path": [part.hex() for part in path],
        "checkpoint": published_one(checkpoint.number).document(),
    }


def _digest_before(transfer: Transfer) -> bytes:
    if transfer.sequence == 1:
        return GENESIS
    wanted = sa.select(Transfer.digest).where(
        Transfer.wallet_id == transfer.wallet_id, Transfer.sequence == transfer.sequence - 1
    )
    if (digest := db.session.scalar(wanted)) is None:
        raise _broken(transfer)
    return digest


def _inclusion(checkpoint: Checkpoint, transfer: Transfer) -> tuple[int, list[bytes]]:
    """Where the transfer stands in its checkpoint, and its path; from a few tiles, however large the checkpoint is."""

    def read(level: int, position: int) -> bytes:
        tile = db.session.get(Tile, (checkpoint.number, level, position))
        if tile is None:
            raise _broken(transfer)
        return tile.hashes

    leaf = leaf_hash(transfer.digest)
    # Ids have gaps, but no more of them than there are ids too many in the checkpoint's range.
    gaps = checkpoint.last_id - checkpoint.first_id + 1 - checkpoint.transfers
    latest = transfer.id - checkpoint.first_id
    for position in range(max(latest - gaps, 0) // WIDTH, min(latest, checkpoint.transfers - 1) // WIDTH + 1):
        leaves = split(read(0, position))
        if leaf in leaves:
            index = position * WIDTH + leaves.index(leaf)
            return index, inclusion_path(index, checkpoint.transfers, complete_from(read))
    raise _broken(transfer)


def _broken(transfer: Transfer) -> SealBroken:
    log.error("Transfer %s does not fit its checkpoint; see flask ledger verify --chain", transfer.id)
    return SealBroken()
