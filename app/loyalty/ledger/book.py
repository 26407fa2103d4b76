"""The one place that writes the books: locked wallets, and the rows that a transfer consists of.

``actions`` decides what may happen; here it is written down. A ``LockedWallet`` is a
wallet whose row this transaction has locked. Changes are collected on it and written by
``write_wallets`` as differences (``balance = balance + n``), so that the constraints of the
database judge the real row and not our picture of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.foundation.database import LockOrder, db, insert_new, keep_lock_order, table_of
from app.foundation.points import UNITS, Quantity
from app.loyalty.ledger.chain import next_digest
from app.loyalty.ledger.errors import KeyReused, NoWallet
from app.loyalty.ledger.models import Draw, Lot, Pending, Transfer, Wallet
from app.loyalty.ledger.rules import Part

# Soonest to expire first, then the oldest.
DRAWING_ORDER = (Lot.expires_at.asc().nulls_last(), Lot.earned_at, Lot.id)
COUNTERS = ("balance", "held", "on_the_way", "debt", "sequence")


# A transfer as the books have it: its columns, read only.
Booked = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Posting:
    """What a posting came to. ``created`` is false when the same key had been booked before."""

    transfer_id: int
    key: str
    amount: Quantity
    created: bool


@dataclass(slots=True)
class LockedWallet:
    id: int
    member_id: int
    ledger: str
    balance: int
    held: int
    on_the_way: int
    debt: int
    sequence: int
    frozen: bool
    sliding: bool
    secret: bytes
    head: bytes
    _before: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._before = self.counters

    @property
    def counters(self) -> tuple[int, ...]:
        return tuple(getattr(self, name) for name in COUNTERS)

    @property
    def changes(self) -> dict[str, int]:
        """What to add to the row."""
        return {name: new - old for name, new, old in zip(COUNTERS, self.counters, self._before, strict=True)}

    @property
    def available(self) -> int:
        return self.balance - self.held

    def next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence


# The statements that every posting runs are made once: making them would cost more than running them.
_LOCK = (
    sa.select(
        Wallet.id,
        Wallet.member_id,
        Wallet.ledger,
        Wallet.balance,
        Wallet.held,
        Wallet.on_the_way,
        Wallet.debt,
        Wallet.sequence,
        Wallet.frozen_at.is_not(None),
        Wallet.sliding,
        Wallet.secret,
        Wallet.head,
    )
    .order_by(Wallet.id)
    .with_for_update()
)
_LOCK_BY_MEMBER = _LOCK.where(
    Wallet.member_id.in_(sa.bindparam("members", expanding=True)),
    Wallet.ledger.in_(sa.bindparam("ledgers", expanding=True)),
)
_LOCK_BY_ID = _LOCK.where(Wallet.id.in_(sa.bindparam("wallets", expanding=True)))
_BOOKED = sa.select(table_of(Transfer)).where(Transfer.key.in_(sa.bindparam("keys", expanding=True)))
_OPEN_LOTS = sa.insert(table_of(Lot)).returning(Lot.transfer_id, Lot.origin_id, Lot.id)
_CHANGE_LOT = (
    sa.update(table_of(Lot))
    .where(Lot.id == sa.bindparam("lot"))
    .values(remaining=Lot.remaining + sa.bindparam("more"), held=Lot.held + sa.bindparam("aside"))
)
_CHANGE_WALLET = (
    sa.update(table_of(Wallet))
    .where(Wallet.id == sa.bindparam("wallet"))
    .values({name: getattr(Wallet, name) + sa.bindparam(f"d_{name}") for name in COUNTERS})
    .values(head=sa.bindparam("new_head"))
)
_DRAW = sa.insert(table_of(Draw))
_WAIT = sa.insert(table_of(Pending))
_DRAWN_BY = (
    sa.select(Draw.lot_id, Draw.amount)
    .join(Lot, Lot.id == Draw.lot_id)
    .where(Draw.transfer_id == sa.bindparam("transfer"))
    .order_by(*DRAWING_ORDER)
)


def run(statement: Any, parameters: Any) -> sa.CursorResult[*tuple[Any, ...]]:
    """Execute on the session's connection, without the session's bookkeeping: nothing here is an object it tracks."""
    return db.session.connection().execute(statement, parameters)


Owner = tuple[int, str]  # A member's id, and the ledger.


def lock_wallets(owners: Collection[Owner]) -> dict[Owner, LockedWallet]:
    """Lock these wallets by one statement, by id, and read them. Raises ``NoWallet`` for a member without one.

    Where both ledgers are asked for, both wallets of every member are locked: more than needed, never in a circle.
    """
    members, ledgers = {member for member, _ in owners}, {ledger for _, ledger in owners}
    found = _lock(_LOCK_BY_MEMBER, {"members": list(members), "ledgers": list(ledgers)})
    wallets = {(wallet.member_id, wallet.ledger): wallet for wallet in found}
    for owner in owners:
        if owner not in wallets:
            raise NoWallet(owner[0])
    return wallets


def lock_wallets_by_id(wallet_ids: Collection[int]) -> dict[int, LockedWallet]:
    return {wallet.id: wallet for wallet in _lock(_LOCK_BY_ID, {"wallets": list(wallet_ids)})}


def _lock(statement: sa.Select[*tuple[Any, ...]], which: dict[str, Any]) -> list[LockedWallet]:
    keep_lock_order(LockOrder.WALLET)
    return [LockedWallet(*row) for row in run(statement, which).all()]


def booked(keys: Collection[str]) -> dict[str, Booked]:
    """The transfers that already carry one of these keys."""
    return {row.key: row for row in run(_BOOKED, {"keys": list(keys)})}


def same_or_refuse(transfer: Booked, row: Mapping[str, Any]) -> None:
    """A key that comes again must come with the same content. Raises ``KeyReused`` otherwise."""
    for name in ("wallet_id", "account", "unit_id", "amount", "phase", "pending_id", "reverses_id", "kind"):
        if getattr(transfer, name) != row.get(name):
            raise KeyReused(transfer.key)


def write_transfers(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Insert transfers; returns their ids by key. Raises ``KeyReused`` when another wallet took a key meanwhile."""
    inserted = insert_new(Transfer, rows, unless=["key"], returning=[Transfer.key, Transfer.id])
    ids: dict[str, int] = {row[0]: row[1] for row in inserted}
    for row in rows:
        if row["key"] not in ids:
            raise KeyReused(row["key"])
    return ids


def open_lots(rows: Sequence[Mapping[str, Any]]) -> None:
    """Open a lot per row. ``fill`` of it has already gone to pay off the wallet's debt."""
    if not rows:
        return
    fills = {(row["transfer_id"], row.get("origin_id")): row["fill"] for row in rows if row["fill"]}
    lots = [{**row, "remaining": row["amount"] - row["fill"], "held": 0} for row in rows]
    for lot in lots:
        del lot["fill"]
    for transfer_id, origin_id, lot_id in run(_OPEN_LOTS, lots):
        if fill := fills.get((transfer_id, origin_id)):
            write_draws([(transfer_id, [Part(lot_id, fill)])])


def write_draws(draws: Iterable[tuple[int, Sequence[Part]]]) -> None:
    rows = [
        {"transfer_id": transfer_id, "lot_id": part.lot_id, "amount": part.amount}
        for transfer_id, parts in draws
        for part in parts
    ]
    if rows:
        run(_DRAW, rows)


def change_lots(parts: Iterable[Part], *, remaining: int, held: int) -> None:
    """Add ``remaining`` and ``held`` times each part's amount to its lot: (-1, 0) spends, (0, +1) sets aside."""
    rows = [{"lot": part.lot_id, "more": part.amount * remaining, "aside": part.amount * held} for part in parts]
    if rows:
        run(_CHANGE_LOT, rows)


def drawn_by(transfer_id: int) -> list[Part]:
    """What a debit or hold drew, in drawing order."""
    return [Part(*row) for row in run(_DRAWN_BY, {"transfer": transfer_id})]


def open_pending(rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        run(_WAIT, list(rows))


def reduce_pending(transfer_id: int, by: int) -> None:
    db.session.connection().execute(
        sa.update(Pending).where(Pending.transfer_id == transfer_id).values(amount=Pending.amount - by)
    )


def close_pending(transfer_id: int) -> None:
    db.session.execute(sa.delete(Pending).where(Pending.transfer_id == transfer_id))


def write_wallets(wallets: Iterable[LockedWallet]) -> None:
    """Write the collected changes as differences."""
    rows = [
        {
            "wallet": wallet.id,
            "new_head": wallet.head,
            **{f"d_{name}": change for name, change in wallet.changes.items()},
        }
        for wallet in wallets
        if any(wallet.changes.values())
    ]
    if rows:
        run(_CHANGE_WALLET, rows)


def take(wallet: LockedWallet, row: Mapping[str, Any], parts: Sequence[Part]) -> int:
    """Write a debit that happens at once: its line, what it draws from the lots, the wallet. Returns its id."""
    transfer_id = write_transfers([row])[row["key"]]
    write_draws([(transfer_id, parts)])
    change_lots(parts, remaining=-1, held=0)
    write_wallets([wallet])
    return transfer_id


def set_aside(wallet: LockedWallet, row: Mapping[str, Any], parts: Sequence[Part]) -> int:
    """Write a hold: the same as a debit, but the lots and the wallet keep the amount until it is resolved."""
    transfer_id = write_transfers([row])[row["key"]]
    write_draws([(transfer_id, parts)])
    change_lots(parts, remaining=0, held=1)
    wallet.held -= row["amount"]
    pending = {"transfer_id": transfer_id, "expires_at": None}
    open_pending([pending | {name: row[name] for name in ("wallet_id", "amount", "deadline")}])
    write_wallets([wallet])
    return transfer_id


def transfer_row(
    wallet: LockedWallet,
    *,
    amount: int,
    key: str,
    account: str,
    kind: str,
    unit_id: int | None,
    explanation: dict[str, Any],
    occurred_at: datetime,
    now: datetime,
    phase: str = "single",
    pending_id: int | None = None,
    reverses_id: int | None = None,
    deadline: datetime | None = None,
    debt_change: int = 0,
) -> dict[str, Any]:
    """The next line of a wallet's history. Counts the sequence, and moves balance and debt where the phase moves them.

    A credit to a wallet in debt pays that off first.
    """
    if phase in ("single", "post"):
        wallet.balance += amount
        debt_change -= min(wallet.debt, max(amount, 0))
    wallet.debt += debt_change
    row = {
        "wallet_id": wallet.id,
        "sequence": wallet.next_sequence(),
        "key": key,
        "account": account,
        "unit_id": unit_id,
        "amount": amount,
        "phase": phase,
        "pending_id": pending_id,
        "reverses_id": reverses_id,
        "deadline": deadline,
        "kind": kind,
        "explanation": explanation,
        "balance_after": wallet.balance,
        "debt_change": debt_change,
        "occurred_at": occurred_at,
        "recorded_at": now,
    }
    row["digest"] = wallet.head = next_digest(wallet.head, wallet.secret, row)
    return row


def posting_of(transfer: Transfer | Booked, ledger: str) -> Posting:
    return Posting(transfer.id, transfer.key, UNITS[ledger](transfer.amount), created=False)
