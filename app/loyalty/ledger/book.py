"""The books open on the desk: locked wallets, and the next lines of their history.

``actions`` and its siblings decide what may happen and collect it as entries; ``write`` puts
entries and wallets down together. A ``LockedWallet`` is a wallet whose row this transaction has
locked. Its figures run ahead of the row until it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation.database import LockOrder, among, db, fetch, keep_lock_order, table_of
from app.foundation.points import LIMIT, UNITS, Quantity
from app.loyalty.ledger import writing
from app.loyalty.ledger.chain import next_digest
from app.loyalty.ledger.errors import BalanceTooLarge, InvalidMoment, InvalidText, KeyReused, NoWallet
from app.loyalty.ledger.models import Draw, Lot, Transfer, Wallet
from app.loyalty.ledger.rules import Part
from app.loyalty.ledger.writing import COUNTERS, Entry

# Soonest to expire first, then the oldest.
DRAWING_ORDER = (Lot.expires_at.asc().nulls_last(), Lot.earned_at, Lot.id)

# A fact lies within a lifetime before it is booked; a till's clock may be ahead, but not by a year.
LONGEST_AGO, LONGEST_AHEAD = timedelta(days=100 * 366), timedelta(days=366)
LONGEST_KEY = Transfer.key.type.length
LONGEST_PENDING_KEY = LONGEST_KEY - len(":deadline")  # Whoever settles it at its deadline adds so much.


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
        self._before = (self.balance, self.held, self.on_the_way, self.debt, self.sequence)

    @property
    def available(self) -> int:
        return self.balance - self.held

    def change(self) -> dict[str, Any]:
        """What to add to the row's counters; from now on the row is taken to have it."""
        before = self._before
        self.__post_init__()
        change = {name: new - old for name, new, old in zip(COUNTERS, self._before, before, strict=True)}
        return {"wallet_id": self.id, **change, "sliding": self.sliding, "head": self.head}


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
# One by itself is worth a statement of its own: the driver takes longer over a list than over the query.
LOCK_ONE = _LOCK.where(Wallet.member_id == sa.bindparam("member"), Wallet.ledger == sa.bindparam("ledger"))
_LOCK_BY_MEMBER = _LOCK.where(among(Wallet.member_id, "members"), among(Wallet.ledger, "ledgers"))
_LOCK_BY_ID = _LOCK.where(among(Wallet.id, "wallets"))
_BOOKED = sa.select(table_of(Transfer)).where(among(Transfer.key, "keys"))
_DRAWN_BY = (
    sa.select(Draw.transfer_id, Draw.lot_id, Draw.amount)
    .join(Lot, Lot.id == Draw.lot_id)
    .where(among(Draw.transfer_id, "transfers"))
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
    keep_lock_order(LockOrder.WALLET)
    members, ledgers = {member for member, _ in owners}, {ledger for _, ledger in owners}
    if len(owners) == 1:
        rows = fetch(LOCK_ONE, {"member": members.pop(), "ledger": ledgers.pop()})
    else:
        rows = fetch(_LOCK_BY_MEMBER, {"members": list(members), "ledgers": list(ledgers)})
    found = [LockedWallet(*row) for row in rows]
    wallets = {(wallet.member_id, wallet.ledger): wallet for wallet in found}
    for owner in owners:
        if owner not in wallets:
            raise NoWallet(owner[0])
    return wallets


def lock_wallets_by_id(wallet_ids: Collection[int]) -> dict[int, LockedWallet]:
    keep_lock_order(LockOrder.WALLET)
    rows = fetch(_LOCK_BY_ID, {"wallets": list(wallet_ids)})
    return {row[0]: LockedWallet(*row) for row in rows}


def booked(keys: Collection[str]) -> dict[str, Booked]:
    """The transfers that already carry one of these keys."""
    return {row.key: row for row in run(_BOOKED, {"keys": list(keys)})}


def same_or_refuse(transfer: Booked, row: Mapping[str, Any]) -> None:
    """A key that comes again must come with the same content. Raises ``KeyReused`` otherwise."""
    for name in ("wallet_id", "account", "unit_id", "amount", "phase", "pending_id", "reverses_id", "kind"):
        if getattr(transfer, name) != row.get(name):
            raise KeyReused(transfer.key)


def drawn_by(transfer_ids: Collection[int]) -> dict[int, list[Part]]:
    """What debits or holds drew, in drawing order."""
    drawn: dict[int, list[Part]] = {transfer_id: [] for transfer_id in transfer_ids}
    for transfer_id, lot_id, amount in fetch(_DRAWN_BY, {"transfers": list(transfer_ids)}):
        drawn[transfer_id].append(Part(lot_id, amount))
    return drawn


def write(entries: Sequence[Entry], wallets: Iterable[LockedWallet]) -> dict[str, int]:
    """Write entries and the wallets that they changed; returns the transfers' ids by key.

    Raises ``KeyReused`` where a key was taken.
    """
    ids = try_to_write(entries, wallets)
    for entry in entries:
        if entry.row["key"] not in ids:
            raise KeyReused(entry.row["key"])
    return ids


def try_to_write(entries: Sequence[Entry], wallets: Iterable[LockedWallet]) -> dict[str, int]:
    """As ``write``, but where the key of a single entry is taken, nothing is written and the answer is empty.

    Then the wallet in hand has run ahead of its row and must not be used any more.
    """
    if not entries:
        return {}
    touched = {entry.row["wallet_id"] for entry in entries}
    return writing.write(entries, [wallet.change() for wallet in wallets if wallet.id in touched])


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

    A credit to a wallet in debt pays that off first. Raises ``BalanceTooLarge`` where the wallet would
    hold more than a ledger can, ``InvalidMoment`` for a fact that is a lifetime away, ``InvalidText`` for what no
    database can keep; the wallet is as before then.
    """
    _refuse_nonsense(key, phase, ahead=occurred_at - now, moment=occurred_at)
    moves = phase in ("single", "post")
    balance = wallet.balance + (amount if moves else 0)
    if moves:
        debt_change -= min(wallet.debt, max(amount, 0))
    if abs(balance) > LIMIT or wallet.on_the_way > LIMIT:
        raise BalanceTooLarge(key)
    row: dict[str, Any] = {
        "wallet_id": wallet.id,
        "sequence": wallet.sequence + 1,
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
        "balance_after": balance,
        "debt_change": debt_change,
        "occurred_at": occurred_at,
        "recorded_at": now,
    }
    try:
        row["digest"] = next_digest(wallet.head, wallet.secret, row)
    except ValueError as error:
        raise InvalidText(key) from error
    wallet.balance, wallet.debt, wallet.sequence = balance, wallet.debt + debt_change, row["sequence"]
    wallet.head = row["digest"]
    return row


def _refuse_nonsense(key: str, phase: str, *, ahead: timedelta, moment: datetime) -> None:
    if not -LONGEST_AGO < ahead < LONGEST_AHEAD:
        raise InvalidMoment(moment)
    if "\0" in key or len(key) > (LONGEST_PENDING_KEY if phase == "pending" else LONGEST_KEY):
        raise InvalidText(key)


def posting_of(transfer: Transfer | Booked, ledger: str) -> Posting:
    return Posting(transfer.id, transfer.key, UNITS[ledger](transfer.amount), created=False)
