"""The books: wallets, transfers, lots, draws and what is still pending.

A **transfer** moves an amount between a member's wallet and an account of the house
(issuance, redemption, expiry, adjustment, opening) of a business unit, within one
ledger. ``amount`` is what the wallet gains, so the house account gains ``-amount`` and
all accounts of a ledger always sum to zero. House accounts keep no running balance: a
row that every posting updates would queue up all members behind each other; their
balance is the sum of their transfers.

History grows and never changes. A pending transfer moves nothing yet; a later transfer
names it in ``pending_id`` and posts or voids it, once. Before that, parts of it can be
taken off again (phase ``reduce``).

The invariants of a wallet, all checked by ``flask ledger verify``::

    balance    = Σ amount of its transfers that moved (phase single or post)
    balance    = Σ lot.remaining − debt
    held       = Σ −amount of its open pending debits = Σ lot.held
    on_the_way = Σ amount of its open pending credits
    available  = balance − held
    head       = digest of its last transfer (see ``chain``)

and of a transfer that moved::

    amount = Σ amount of the lots it opened − Σ its draws − debt_change
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonList, JsonObject, Model, reference

LEDGERS = ("points", "growth")
ACCOUNTS = ("issuance", "redemption", "expiry", "adjustment", "opening")
PHASES = ("single", "pending", "reduce", "post", "void")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


# These rows change often: PostgreSQL finds room for the new version in the same page, and leaves the indexes alone.
_ROOM_TO_CHANGE = {"postgresql_with": {"fillfactor": 80}}


def _index_where_set(column: str) -> sa.Index:
    """Few transfers name another one; the rest need not pay for the index."""
    where = sa.text(f"{column} IS NOT NULL")
    return sa.Index(f"ix_transfer_{column}", column, postgresql_where=where, sqlite_where=where)


class Wallet(Model):
    """A member's account in one ledger. Locking this row is what makes postings one after the other.

    ``debt`` is what a clawback took beyond what was there: only so far may ``balance`` be
    below zero. ``sequence`` counts the wallet's transfers, ``head`` is the digest of the last one, and
    ``secret`` is what salts their commitments. ``sliding`` says that some lot lives as long as the
    member is active. A frozen wallet receives, but does not spend.
    """

    __tablename__ = "wallet"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "ledger"),
        _one_of("ledger", LEDGERS),
        sa.CheckConstraint("balance + debt >= 0", name="balance_covered"),
        sa.CheckConstraint("balance + debt >= held", name="held_covered"),
        sa.CheckConstraint("held >= 0", name="held_not_negative"),
        sa.CheckConstraint("on_the_way >= 0", name="on_the_way_not_negative"),
        sa.CheckConstraint("debt >= 0", name="debt_not_negative"),
        _ROOM_TO_CHANGE,
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    ledger: Mapped[str] = mapped_column(sa.String(10))
    balance: Mapped[Amount] = mapped_column(default=0)
    held: Mapped[Amount] = mapped_column(default=0)
    on_the_way: Mapped[Amount] = mapped_column(default=0)
    debt: Mapped[Amount] = mapped_column(default=0)
    sequence: Mapped[Amount] = mapped_column(default=0)
    sliding: Mapped[bool] = mapped_column(default=False)
    secret: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    head: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    frozen_at: Mapped[datetime | None]
    frozen_reason: Mapped[str | None] = mapped_column(sa.String(200))


class Transfer(Model):
    """One line of a wallet's history.

    ``key`` names the business fact (``order:J1:redeem``) and is unique over the whole
    book. ``kind`` says what happened in the words of the domain that posted it
    (``purchase``, ``checkin``, ``redemption`` …); ``explanation`` is why the amount is
    what it is, as data. ``occurred_at`` is when the fact took place, ``recorded_at`` when
    it was written. ``balance_after`` and ``sequence`` are the wallet's, for statements.
    ``debt_change`` is by how much the wallet's debt grew (a clawback) or was paid off (a credit).
    ``digest`` chains the transfer to the one before it in its wallet.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        sa.UniqueConstraint("wallet_id", "sequence"),
        _one_of("account", ACCOUNTS),
        _one_of("phase", PHASES),
        sa.CheckConstraint("amount <> 0 OR phase = 'void' OR kind = 'clawback'", name="amount_not_zero"),
        sa.CheckConstraint(
            "(phase IN ('reduce', 'post', 'void')) = (pending_id IS NOT NULL)", name="resolution_names_pending"
        ),
        sa.CheckConstraint("deadline IS NULL OR phase = 'pending'", name="only_pending_has_deadline"),
        sa.Index("ix_transfer_wallet_id_recorded_at", "wallet_id", "recorded_at"),
        _index_where_set("pending_id"),
        _index_where_set("reverses_id"),
        sa.Index(
            "uq_transfer_resolution",
            "pending_id",
            unique=True,
            postgresql_where=sa.text("phase IN ('post', 'void')"),
            sqlite_where=sa.text("phase IN ('post', 'void')"),
        ),
    )

    id: Mapped[Id]
    wallet_id: Mapped[int] = reference("wallet.id")
    sequence: Mapped[Amount]
    key: Mapped[str] = mapped_column(sa.String(160), unique=True)
    account: Mapped[str] = mapped_column(sa.String(12))
    unit_id: Mapped[int | None] = reference("unit.id")
    amount: Mapped[Amount]
    phase: Mapped[str] = mapped_column(sa.String(8), default="single")
    pending_id: Mapped[int | None] = reference("transfer.id")
    reverses_id: Mapped[int | None] = reference("transfer.id")
    deadline: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(sa.String(30))
    explanation: Mapped[JsonObject]
    balance_after: Mapped[Amount]
    debt_change: Mapped[Amount] = mapped_column(default=0)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    digest: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class Pending(Model):
    """A pending transfer that is still open. Posting or voiding deletes this row; the history keeps the transfers.

    A debit (``amount < 0``) is a *hold*: at its deadline it is voided. A credit is a *pending
    award*: at its deadline it is posted. No deadline means that somebody must decide.
    ``expires_at`` and ``idle_months`` are those of the lot that a pending award will open.
    """

    __tablename__ = "pending_transfer"

    transfer_id: Mapped[int] = reference("transfer.id", primary_key=True)
    wallet_id: Mapped[int] = reference("wallet.id", index=True)
    amount: Mapped[Amount]
    deadline: Mapped[datetime | None] = mapped_column(index=True)
    expires_at: Mapped[datetime | None]
    idle_months: Mapped[int | None]


class Lot(Model):
    """What one credit brought and what is left of it. It stops living at ``expires_at`` (``NULL``: never).

    ``remaining`` includes ``held``, the part that open holds have set aside. ``origin_id`` names the
    expired lot for which this one stands in for a grace period, after a return that the shop caused.
    With ``idle_months`` the lot lives as long as the member is active: every purchase or redemption
    moves ``expires_at`` to so many months after it.
    """

    __tablename__ = "lot"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining_in_range"),
        sa.CheckConstraint("held BETWEEN 0 AND remaining", name="held_in_range"),
        # Two indexes, because NULL counts as different from NULL; each lot stands in one of them.
        sa.Index(
            "uq_lot_transfer_id",
            "transfer_id",
            unique=True,
            postgresql_where=sa.text("origin_id IS NULL"),
            sqlite_where=sa.text("origin_id IS NULL"),
        ),
        sa.Index(
            "uq_lot_transfer_id_origin_id",
            "transfer_id",
            "origin_id",
            unique=True,
            postgresql_where=sa.text("origin_id IS NOT NULL"),
            sqlite_where=sa.text("origin_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_lot_open",
            "wallet_id",
            "expires_at",
            postgresql_where=sa.text("remaining > 0"),
            sqlite_where=sa.text("remaining > 0"),
        ),
        sa.Index(
            "ix_lot_expiring",
            "expires_at",
            postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
            sqlite_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
        ),
        sa.Index(
            "ix_lot_sliding",
            "wallet_id",
            postgresql_where=sa.text("idle_months IS NOT NULL"),
            sqlite_where=sa.text("idle_months IS NOT NULL"),
        ),
        _ROOM_TO_CHANGE,
    )

    id: Mapped[Id]
    transfer_id: Mapped[int] = reference("transfer.id")
    origin_id: Mapped[int | None] = reference("lot.id")
    wallet_id: Mapped[int] = reference("wallet.id")
    unit_id: Mapped[int | None] = reference("unit.id")
    amount: Mapped[Amount]
    remaining: Mapped[Amount]
    held: Mapped[Amount] = mapped_column(default=0)
    earned_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    idle_months: Mapped[int | None]


class Draw(Model):
    """How much of a lot a debit took. For a hold: how much it set aside.

    A negative amount puts points back where they came from. ``remaining`` of a lot is its
    amount less the draws of transfers that moved.
    """

    __tablename__ = "lot_draw"
    __table_args__ = (sa.CheckConstraint("amount <> 0", name="amount_not_zero"),)

    transfer_id: Mapped[int] = reference("transfer.id", primary_key=True)
    lot_id: Mapped[int] = reference("lot.id", primary_key=True, index=True)
    amount: Mapped[Amount]


class Checkpoint(Model):
    """The state of all books at a moment, in one hash that can be published.

    ``root`` is the RFC 6962 Merkle root over the digests of the transfers ``first_id`` to ``last_id``,
    by id; ``previous`` the hash of the checkpoint before, and ``hash`` covers all of it.
    """

    __tablename__ = "ledger_checkpoint"
    __table_args__ = (
        sa.CheckConstraint("transfers > 0", name="transfers_positive"),
        sa.CheckConstraint("last_id >= first_id", name="range_forward"),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    closed_at: Mapped[datetime]
    first_id: Mapped[int] = reference("transfer.id")
    last_id: Mapped[int] = reference("transfer.id", unique=True)
    transfers: Mapped[Amount]
    root: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    previous: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32), unique=True)


class Tile(Model):
    """Up to 256 neighbouring hashes of a checkpoint's Merkle tree, 32 bytes each.

    ``level`` 0 holds the leaves, level *n* the roots of full subtrees of 256ⁿ leaves. An inclusion
    proof reads a tile per level, however many transfers there are, and verify can name the altered leaf.
    """

    __tablename__ = "ledger_tile"

    checkpoint_number: Mapped[int] = mapped_column(sa.ForeignKey("ledger_checkpoint.number"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    hashes: Mapped[bytes] = mapped_column(sa.LargeBinary)


class LedgerCheck(Model):
    """One run of ``verify`` by the worker, for the back office. ``findings`` say what and where; none means clean."""

    __tablename__ = "ledger_check"

    id: Mapped[Id]
    started_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime]
    checks: Mapped[int]
    counts: Mapped[JsonObject]
    findings: Mapped[JsonList]
