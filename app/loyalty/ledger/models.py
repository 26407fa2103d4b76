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

and of a transfer that moved::

    amount = Σ amount of the lots it opened − Σ its draws − debt_change
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonObject, Model, reference

LEDGERS = ("points", "growth")
ACCOUNTS = ("issuance", "redemption", "expiry", "adjustment", "opening")
PHASES = ("single", "pending", "reduce", "post", "void")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Wallet(Model):
    """A member's account in one ledger. Locking this row is what makes postings one after the other.

    ``debt`` is what a clawback took beyond what was there: only so far may ``balance`` be
    below zero. ``sequence`` counts the wallet's transfers.
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
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    ledger: Mapped[str] = mapped_column(sa.String(10))
    balance: Mapped[Amount] = mapped_column(default=0)
    held: Mapped[Amount] = mapped_column(default=0)
    on_the_way: Mapped[Amount] = mapped_column(default=0)
    debt: Mapped[Amount] = mapped_column(default=0)
    sequence: Mapped[Amount] = mapped_column(default=0)
    frozen_at: Mapped[datetime | None]


class Transfer(Model):
    """One line of a wallet's history.

    ``key`` names the business fact (``order:J1:redeem``) and is unique over the whole
    book. ``kind`` says what happened in the words of the domain that posted it
    (``purchase``, ``checkin``, ``redemption`` …); ``explanation`` is why the amount is
    what it is, as data. ``occurred_at`` is when the fact took place, ``recorded_at`` when
    it was written. ``balance_after`` and ``sequence`` are the wallet's, for statements.
    ``debt_change`` is by how much the wallet's debt grew (a clawback) or was paid off (a credit).
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
        sa.Index("ix_transfer_pending_id", "pending_id"),
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
    reverses_id: Mapped[int | None] = reference("transfer.id", index=True)
    deadline: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(sa.String(30))
    explanation: Mapped[JsonObject]
    balance_after: Mapped[Amount]
    debt_change: Mapped[Amount] = mapped_column(default=0)
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Pending(Model):
    """A pending transfer that is still open. Posting or voiding deletes this row; the history keeps the transfers.

    A debit (``amount < 0``) is a *hold*: at its deadline it is voided. A credit is a *pending
    award*: at its deadline it is posted. No deadline means that somebody must decide.
    ``expires_at`` is when the lot that a pending award will open stops living.
    """

    __tablename__ = "pending_transfer"

    transfer_id: Mapped[int] = reference("transfer.id", primary_key=True)
    wallet_id: Mapped[int] = reference("wallet.id", index=True)
    amount: Mapped[Amount]
    deadline: Mapped[datetime | None] = mapped_column(index=True)
    expires_at: Mapped[datetime | None]


class Lot(Model):
    """What one credit brought and what is left of it. It stops living at ``expires_at`` (``NULL``: never).

    ``remaining`` includes ``held``, the part that open holds have set aside. ``origin_id`` names the
    expired lot for which this one stands in for a grace period, after a return that the shop caused.
    """

    __tablename__ = "lot"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("remaining BETWEEN 0 AND amount", name="remaining_in_range"),
        sa.CheckConstraint("held BETWEEN 0 AND remaining", name="held_in_range"),
        sa.Index(
            "uq_lot_transfer_id",
            "transfer_id",
            unique=True,
            postgresql_where=sa.text("origin_id IS NULL"),
            sqlite_where=sa.text("origin_id IS NULL"),
        ),
        sa.UniqueConstraint("transfer_id", "origin_id"),
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
