"""The verbs of the ledger. Every one takes a business key and does its work once.

Amounts are ``Points`` or ``Growth``; the type says which ledger is meant. All of them need
an open transaction, lock the wallets they touch, by id, and leave committing to the caller.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Unpack
from zoneinfo import ZoneInfo

from app.foundation import clock
from app.foundation.database import insert_new
from app.foundation.points import UNITS, Quantity
from app.foundation.terms import current
from app.loyalty.ledger import book
from app.loyalty.ledger.book import LockedWallet, Posting
from app.loyalty.ledger.chain import GENESIS, new_secret
from app.loyalty.ledger.errors import AlreadyResolved, InsufficientPoints, InvalidAmount, KeyReused, WalletFrozen
from app.loyalty.ledger.expiry import Free, lock_with_lots, prolong
from app.loyalty.ledger.freezing import freeze, unfreeze
from app.loyalty.ledger.holds import post_pending, settle_due, void_pending
from app.loyalty.ledger.models import LEDGERS, Wallet
from app.loyalty.ledger.requests import (
    BY_POLICY,
    Award,
    AwardFields,
    ByPolicy,
    Correction,
    Debit,
    HoldFields,
    RequestFields,
)
from app.loyalty.ledger.returns import Clawback, claw_back, give_back, reverse, would_expire
from app.loyalty.ledger.rules import ExpiryPolicy, Part, spread
from app.loyalty.ledger.terms import LedgerTerms
from app.loyalty.ledger.writing import Entry, NewLot, Wait, taking

__all__ = [
    "BY_POLICY",
    "AlreadyResolved",
    "Award",
    "Clawback",
    "Correction",
    "Debit",
    "ExpiryPolicy",
    "InsufficientPoints",
    "Posting",
    "adjust",
    "adjust_many",
    "award",
    "award_many",
    "claw_back",
    "debit_many",
    "freeze",
    "give_back",
    "hold",
    "open_wallets",
    "post_pending",
    "queue_up",
    "reverse",
    "settle_due",
    "spend",
    "unfreeze",
    "void_pending",
    "would_expire",
]

# What the member does keeps points alive that live as long as the member is active; what staff does, does not.
_ACTIVITY = ("issuance", "redemption")


Life = tuple[datetime | None, int | None]


def open_wallets(*, member_ids: Collection[int]) -> None:
    """Give members their wallets, one per ledger; those who have them keep them."""
    rows = [
        {"member_id": member_id, "ledger": ledger, "secret": new_secret(), "head": GENESIS}
        for member_id in member_ids
        for ledger in LEDGERS
    ]
    insert_new(Wallet, rows, unless=["member_id", "ledger"], returning=[Wallet.id])


def queue_up(member_ids: Collection[int]) -> None:
    """Lock these members' wallets before anything is awarded: for rules that count first what a member has had.

    Whoever else awards them something waits, so nobody counts the same twice. Raises ``NoWallet``.
    """
    if member_ids:
        book.lock_wallets({(member_id, ledger) for member_id in member_ids for ledger in LEDGERS})


# --- credits ------------------------------------------------------------------------------


def award(*, now: datetime, **fields: Unpack[AwardFields]) -> Posting:
    """Credit one wallet; the fields are those of ``Award``. Raises as ``award_many``."""
    return award_many([Award(**fields)], now=now)[0]


def award_many(awards: Sequence[Award], *, now: datetime) -> list[Posting]:
    """Credit many wallets with a handful of statements, whatever the number.

    Keys that are booked already with the same content come back with ``created=False``.
    Raises ``InvalidAmount``, ``KeyReused`` or ``NoWallet``, and then nothing is written.
    """
    _refuse_nonsense(awards)
    wallets = book.lock_wallets({_owner(each) for each in awards})
    earlier = {} if _may_try(awards, wallets) else _earlier(awards, wallets)
    fresh = [each for each in awards if each.key not in earlier]
    _keep_alive(fresh, wallets, now=now)
    programme, zone = current(LedgerTerms).policy(), clock.programme_zone()
    entries = [_credit(wallets[_owner(each)], each, _life_of(each, programme, zone), now=now) for each in fresh]
    return _write(awards, entries, wallets, earlier)


def _credit(wallet: LockedWallet, each: Award, life: Life, *, now: datetime) -> Entry:
    amount, (expires_at, idle_months) = each.amount.value, life
    if each.pending:
        wallet.on_the_way += amount
    row = book.transfer_row(
        wallet,
        amount=amount,
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
    wallet.sliding = wallet.sliding or idle_months is not None
    if each.pending:
        return Entry(row, waits=Wait(deadline=each.deadline, expires_at=expires_at, idle_months=idle_months))
    lot = NewLot(
        unit_id=each.unit_id,
        amount=amount,
        fill=-row["debt_change"],
        earned_at=each.occurred_at,
        expires_at=expires_at,
        idle_months=idle_months,
    )
    return Entry(row, lots=[lot])


def _life_of(each: Award, programme: ExpiryPolicy, zone: ZoneInfo) -> Life:
    """Until when its points live, and for how many months of idleness if it is that which ends them."""
    if not isinstance(each.expires_at, ByPolicy):
        return each.expires_at, None
    if each.amount.ledger != "points":
        return None, None  # Growth counts for status over windows of its own; it does not expire.
    policy = each.expiry or programme
    return policy.expires_at(each.lives_from or each.occurred_at, zone), policy.idle_months


# --- debits -------------------------------------------------------------------------------


def spend(*, now: datetime, **fields: Unpack[RequestFields]) -> Posting:
    """Take points out of a wallet at once; the fields are those of ``Debit``. Raises as ``debit_many``."""
    return debit_many([Debit(**fields)], now=now)[0]


def hold(*, now: datetime, **fields: Unpack[HoldFields]) -> Posting:
    """Set points aside until ``post_pending`` takes them or ``void_pending`` releases them; fields as ``Debit``.

    A hold whose ``deadline`` passes is released by ``settle_due``. Raises as ``debit_many``.
    """
    return debit_many([Debit(**fields, pending=True)], now=now)[0]


def debit_many(debits: Sequence[Debit], *, now: datetime) -> list[Posting]:
    """Debit many wallets with a handful of statements: each draws from its soonest-expiring lots.

    Keys that are booked already with the same content come back with ``created=False``.
    Raises ``InsufficientPoints``, ``WalletFrozen``, ``InvalidAmount``, ``KeyReused`` or ``NoWallet``,
    and then nothing is written.
    """
    _refuse_nonsense(debits)
    wallets, lots, expired = lock_with_lots({_owner(each) for each in debits}, now=now)
    trying = _may_try(debits, wallets) and not expired
    earlier = {} if trying else _earlier(debits, wallets)
    fresh = [each for each in debits if each.key not in earlier]
    try:
        entries = [_debit(wallets[_owner(each)], each, lots, now=now) for each in fresh]
    except (InsufficientPoints, WalletFrozen):
        # A repeated key is answered even where the points are gone by now.
        if trying and (known := _earlier(debits, wallets)):
            return list(known.values())
        raise
    _keep_alive(fresh, wallets, now=now)
    return _write(debits, [*expired, *entries], wallets, earlier)


def _debit(wallet: LockedWallet, each: Debit, lots: Mapping[int, list[Free]], *, now: datetime) -> Entry:
    """Draw from the free ``lots`` of the wallet, as spent or as set aside; they are shortened by it."""
    if wallet.frozen and each.account == "redemption":
        raise WalletFrozen
    wanted, free = each.amount.value, lots[wallet.id]
    if wanted > wallet.available:
        raise InsufficientPoints(needed=each.amount, available=UNITS[wallet.ledger](max(wallet.available, 0)))
    parts = spread(wanted, free)
    _shorten(free, parts)
    row = book.transfer_row(
        wallet,
        amount=-wanted,
        key=each.key,
        account=each.account,
        kind=each.kind,
        unit_id=each.unit_id,
        explanation=each.explanation,
        occurred_at=now,
        now=now,
        phase="pending" if each.pending else "single",
        deadline=each.deadline if each.pending else None,
    )
    if not each.pending:
        return taking(row, parts)
    wallet.held += wanted
    entry = Entry(row, draws=parts, waits=Wait(deadline=each.deadline))
    entry.move(parts, held=+1)
    return entry


def _shorten(free: list[Free], parts: Sequence[Part]) -> None:
    """Take ``parts``, which stand at the front, out of the free lots."""
    last, (lot_id, amount) = parts[-1], free[len(parts) - 1]
    free[: len(parts)] = [(lot_id, amount - last.amount)] if amount > last.amount else []


# --- corrections --------------------------------------------------------------------------


def adjust(
    *,
    member_id: int,
    amount: Quantity,
    key: str,
    explanation: dict[str, Any],
    now: datetime,
    unit_id: int | None = None,
) -> Posting:
    """Correct a balance by a signed amount; a frozen wallet, too. Raises as ``adjust_many``."""
    correction = Correction(member_id=member_id, amount=amount, key=key, explanation=explanation, unit_id=unit_id)
    return adjust_many([correction], now=now)[0]


def adjust_many(corrections: Sequence[Correction], *, now: datetime) -> list[Posting]:
    """Correct many balances with a handful of statements. Never below zero: raises ``InsufficientPoints``.

    Raises ``InvalidAmount``, ``KeyReused`` or ``NoWallet``, too, and then nothing is written.
    """
    _refuse_repeated_keys(corrections)
    if len(corrections) > 1:  # Locked together, by id, so that two such batches never wait in a circle.
        book.lock_wallets({_owner(each) for each in corrections})
    more = [
        Award(**_correcting(each, amount=each.amount), occurred_at=now) for each in corrections if each.amount.value > 0
    ]
    less = [Debit(**_correcting(each, amount=-each.amount)) for each in corrections if each.amount.value <= 0]
    postings = [
        *(award_many(more, now=now) if more else ()),
        *(debit_many(less, now=now) if less else ()),
    ]
    by_key = {posting.key: posting for posting in postings}
    return [by_key[each.key] for each in corrections]


def _correcting(each: Correction, *, amount: Quantity) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(each, name) for name in ("member_id", "key", "explanation", "unit_id")}
    return {**fields, "amount": amount, "account": "adjustment", "kind": "adjustment"}


# --- what they share ----------------------------------------------------------------------

Request = Award | Debit
Wallets = Mapping[book.Owner, LockedWallet]


def _owner(each: Request | Correction) -> book.Owner:
    return each.member_id, each.amount.ledger


def _refuse_nonsense(requests: Sequence[Request]) -> None:
    for each in requests:
        if each.amount.value <= 0:
            raise InvalidAmount(each.key, each.amount)
    _refuse_repeated_keys(requests)


def _refuse_repeated_keys(requests: Sequence[Request | Correction]) -> None:
    keys: set[str] = set()
    for each in requests:
        if each.key in keys:
            raise KeyReused(each.key)
        keys.add(each.key)


def _may_try(requests: Sequence[Request], wallets: Wallets) -> bool:
    """May the key be tried without looking for it first? A single one that is taken writes nothing."""
    return len(requests) == 1 and not any(wallet.sliding for wallet in wallets.values())


def _earlier(requests: Sequence[Request], wallets: Wallets) -> dict[str, Posting]:
    """What was booked under these keys before. Raises ``KeyReused`` if it was something else."""
    before = book.booked([each.key for each in requests])
    postings = {}
    for each in requests:
        if each.key in before:
            wallet = wallets[_owner(each)]
            book.same_or_refuse(before[each.key], _content(wallet, each))
            postings[each.key] = book.posting_of(before[each.key], wallet.ledger)
    return postings


def _content(wallet: LockedWallet, each: Request) -> dict[str, Any]:
    """What must be the same when a key comes again."""
    return {
        "wallet_id": wallet.id,
        "account": each.account,
        "unit_id": each.unit_id,
        "amount": _signed(each).value,
        "phase": "pending" if each.pending else "single",
        "kind": each.kind,
    }


def _signed(each: Request) -> Quantity:
    return each.amount if isinstance(each, Award) else -each.amount


def _keep_alive(fresh: Sequence[Request], wallets: Wallets, *, now: datetime) -> None:
    """Prolong the lots that live as long as the member is active, in the wallets that have such lots."""
    active: dict[int, datetime] = {}
    for each in fresh:
        wallet = wallets[_owner(each)]
        if wallet.sliding and each.account in _ACTIVITY:
            moment = each.occurred_at if isinstance(each, Award) else now
            active[wallet.id] = max(active.get(wallet.id, moment), moment)
    if active:
        prolong(active, now=now)


def _write(
    requests: Sequence[Request], entries: Sequence[Entry], wallets: Wallets, earlier: Mapping[str, Posting]
) -> list[Posting]:
    write = book.try_to_write if len(entries) == 1 else book.write
    ids = write(entries, wallets.values())
    if entries and not ids:
        earlier = _earlier(requests, wallets)
    return [earlier.get(each.key) or Posting(ids[each.key], each.key, _signed(each), created=True) for each in requests]
