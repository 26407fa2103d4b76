"""The verbs of the ledger. Every one takes a business key and does its work once.

Amounts are ``Points`` or ``Growth``; the type says which ledger is meant. All of them need
an open transaction, lock the wallets they touch, by id, and leave committing to the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.foundation import clock
from app.foundation.database import insert_new
from app.foundation.points import UNITS, Quantity
from app.foundation.terms import current
from app.loyalty.ledger import book
from app.loyalty.ledger.book import LockedWallet, Posting
from app.loyalty.ledger.chain import GENESIS, new_secret
from app.loyalty.ledger.errors import AlreadyResolved, InsufficientPoints, InvalidAmount, KeyReused, WalletFrozen
from app.loyalty.ledger.expiry import live_lots
from app.loyalty.ledger.freezing import freeze, unfreeze
from app.loyalty.ledger.holds import post_pending, settle_due, void_pending
from app.loyalty.ledger.models import LEDGERS, Wallet
from app.loyalty.ledger.returns import Clawback, claw_back, give_back, reverse
from app.loyalty.ledger.rules import expires_at, spread
from app.loyalty.ledger.terms import LedgerTerms

__all__ = [
    "BY_POLICY",
    "AlreadyResolved",
    "Award",
    "Clawback",
    "InsufficientPoints",
    "Posting",
    "adjust",
    "award",
    "award_many",
    "claw_back",
    "freeze",
    "give_back",
    "hold",
    "open_wallets",
    "post_pending",
    "reverse",
    "settle_due",
    "spend",
    "unfreeze",
    "void_pending",
]


class _ByPolicy:
    """Let the programme's expiry policy decide, counted from when the points were earned."""


BY_POLICY: Final = _ByPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class Award:
    """A credit to come.

    ``lives_from`` is the moment from which the expiry policy counts (default:
    ``occurred_at``). With ``pending`` the amount is on the way until somebody posts it, or until
    ``deadline``.
    """

    member_id: int
    amount: Quantity
    key: str
    kind: str
    explanation: dict[str, Any]
    occurred_at: datetime
    unit_id: int | None = None
    account: str = "issuance"
    lives_from: datetime | None = None
    expires_at: datetime | _ByPolicy | None = BY_POLICY
    pending: bool = False
    deadline: datetime | None = None


def open_wallets(*, member_ids: Collection[int]) -> None:
    """Give members their wallets, one per ledger; those who have them keep them."""
    rows = [
        {"member_id": member_id, "ledger": ledger, "secret": new_secret(), "head": GENESIS}
        for member_id in member_ids
        for ledger in LEDGERS
    ]
    insert_new(Wallet, rows, unless=["member_id", "ledger"], returning=[Wallet.id])


def award(*, now: datetime, **fields: Any) -> Posting:
    """Credit one wallet; the fields are those of ``Award``. Raises as ``award_many``."""
    return award_many([Award(**fields)], now=now)[0]


def award_many(awards: Sequence[Award], *, now: datetime) -> list[Posting]:
    """Credit many wallets with a handful of statements, whatever the number.

    Keys that are booked already with the same content come back with ``created=False``.
    Raises ``InvalidAmount``, ``KeyReused`` or ``NoWallet``, and then nothing is written.
    """
    _refuse_nonsense(awards)
    wallets = book.lock_wallets({_owner(each) for each in awards})
    before = book.booked([each.key for each in awards])
    postings: dict[str, Posting] = {}
    fresh: list[tuple[Award, dict[str, Any]]] = []
    for each in awards:
        wallet = wallets[_owner(each)]
        if each.key in before:
            book.same_or_refuse(before[each.key], _content(wallet, each))
            postings[each.key] = book.posting_of(before[each.key], wallet.ledger)
        else:
            fresh.append((each, _credit_row(wallet, each, now=now)))
    ids = book.write_transfers([row for _, row in fresh])
    _open_lots_and_pending(fresh, ids)
    book.write_wallets(wallets.values())
    postings |= {each.key: Posting(ids[each.key], each.key, each.amount, created=True) for each, _ in fresh}
    return [postings[each.key] for each in awards]


def _owner(each: Award) -> book.Owner:
    return each.member_id, each.amount.ledger


def _refuse_nonsense(awards: Sequence[Award]) -> None:
    keys: set[str] = set()
    for each in awards:
        if each.amount.value <= 0:
            raise InvalidAmount(f"{each.key}: {each.amount} is not an amount to award.")
        if each.key in keys:
            raise KeyReused(each.key)
        keys.add(each.key)


def _content(wallet: LockedWallet, each: Award) -> dict[str, Any]:
    """What must be the same when a key comes again."""
    return {
        "wallet_id": wallet.id,
        "account": each.account,
        "unit_id": each.unit_id,
        "amount": each.amount.value,
        "phase": "pending" if each.pending else "single",
        "kind": each.kind,
    }


def _credit_row(wallet: LockedWallet, each: Award, *, now: datetime) -> dict[str, Any]:
    if each.pending:
        wallet.on_the_way += each.amount.value
    return book.transfer_row(
        wallet,
        amount=each.amount.value,
        key=each.key,
        account=each.account,
        kind=each.kind,
        unit_id=each.unit_id,
        explanation=each.explanation,
        occurred_at=each.occurred_at,
        now=now,
        phase="pending" if each.pending else "single",
        deadline=each.deadline if each.pending else None,
    )


def _open_lots_and_pending(fresh: Sequence[tuple[Award, dict[str, Any]]], ids: dict[str, int]) -> None:
    lots, pending = [], []
    for each, row in fresh:
        common = {
            "transfer_id": ids[each.key],
            "wallet_id": row["wallet_id"],
            "amount": each.amount.value,
            "expires_at": _expiry_of(each),
        }
        if each.pending:
            pending.append({**common, "deadline": each.deadline})
        else:
            lots.append({**common, "unit_id": each.unit_id, "earned_at": each.occurred_at, "fill": -row["debt_change"]})
    book.open_lots(lots)
    book.open_pending(pending)


def _expiry_of(each: Award) -> datetime | None:
    if not isinstance(each.expires_at, _ByPolicy):
        return each.expires_at
    if each.amount.ledger != "points":
        return None  # Growth counts for status over windows of its own; it does not expire.
    return expires_at(each.lives_from or each.occurred_at, current(LedgerTerms), clock.programme_zone())


def spend(
    *,
    member_id: int,
    amount: Quantity,
    key: str,
    kind: str,
    explanation: dict[str, Any],
    now: datetime,
    unit_id: int | None = None,
) -> Posting:
    """Take points out of a wallet at once. Raises ``InsufficientPoints`` or ``WalletFrozen``."""
    return _debit(
        member_id=member_id,
        amount=amount,
        key=key,
        kind=kind,
        explanation=explanation,
        now=now,
        unit_id=unit_id,
        account="redemption",
    )


def hold(
    *,
    member_id: int,
    amount: Quantity,
    key: str,
    kind: str,
    explanation: dict[str, Any],
    deadline: datetime | None,
    now: datetime,
    unit_id: int | None = None,
) -> Posting:
    """Set points aside until ``post_pending`` takes them or ``void_pending`` releases them.

    A hold whose ``deadline`` passes is released by ``settle_due``. Raises
    ``InsufficientPoints`` or ``WalletFrozen``.
    """
    return _debit(
        member_id=member_id,
        amount=amount,
        key=key,
        kind=kind,
        explanation=explanation,
        now=now,
        unit_id=unit_id,
        account="redemption",
        phase="pending",
        deadline=deadline,
    )


def adjust(
    *,
    member_id: int,
    amount: Quantity,
    key: str,
    explanation: dict[str, Any],
    now: datetime,
    unit_id: int | None = None,
) -> Posting:
    """Correct a balance by a signed amount; a frozen wallet, too. Never below zero: raises ``InsufficientPoints``."""
    common: dict[str, Any] = {"member_id": member_id, "key": key, "unit_id": unit_id, "explanation": explanation}
    if amount.value > 0:
        return award(amount=amount, account="adjustment", kind="adjustment", occurred_at=now, now=now, **common)
    return _debit(amount=-amount, account="adjustment", kind="adjustment", now=now, **common)


def _debit(
    *,
    member_id: int,
    amount: Quantity,
    key: str,
    kind: str,
    explanation: dict[str, Any],
    now: datetime,
    unit_id: int | None,
    account: str,
    phase: str = "single",
    deadline: datetime | None = None,
) -> Posting:
    """Draw ``amount`` from the soonest-expiring lots, as spent (``single``) or set aside (``pending``)."""
    if amount.value <= 0:
        raise InvalidAmount(f"{key}: {amount} is not an amount to take.")
    ledger, wanted = amount.ledger, amount.value
    wallet = book.lock_wallets([(member_id, ledger)])[member_id, ledger]
    content = {"wallet_id": wallet.id, "account": account, "unit_id": unit_id, "amount": -wanted, "phase": phase}
    if earlier := book.booked([key]).get(key):
        book.same_or_refuse(earlier, {**content, "kind": kind})
        return book.posting_of(earlier, ledger)
    if wallet.frozen and account == "redemption":
        raise WalletFrozen
    lots = live_lots(wallet, now=now)
    if wanted > wallet.available:
        raise InsufficientPoints(needed=amount, available=UNITS[ledger](max(wallet.available, 0)))
    parts = spread(wanted, lots)
    row = book.transfer_row(
        wallet,
        amount=-wanted,
        key=key,
        account=account,
        kind=kind,
        unit_id=unit_id,
        explanation=explanation,
        occurred_at=now,
        now=now,
        phase=phase,
        deadline=deadline,
    )
    write = book.set_aside if phase == "pending" else book.take
    transfer_id = write(wallet, row, parts)
    return Posting(transfer_id, key, -amount, created=True)
