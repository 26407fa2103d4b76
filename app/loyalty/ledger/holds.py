"""The second phase: a pending transfer is posted or voided, once."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db, table_of
from app.foundation.errors import DomainError
from app.foundation.points import UNITS
from app.loyalty.ledger import book
from app.loyalty.ledger.book import Booked, LockedWallet, Posting
from app.loyalty.ledger.errors import AlreadyResolved, KeyReused, UnknownPending
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.models import Pending, Transfer
from app.loyalty.ledger.rules import Part, spread
from app.loyalty.ledger.writing import Entry, NewLot

log = logging.getLogger(__name__)

# A pending transfer, with what is open of it. The amount of an award may have been reduced.
_OPEN = (
    sa.select(
        table_of(Transfer),
        Pending.amount.label("open_amount"),
        Pending.expires_at,
        Pending.idle_months,
    )
    .join(Pending, Pending.transfer_id == Transfer.id)
    .order_by(Transfer.id)
)


def post_pending(
    *, key: str, pending_key: str, now: datetime, kind: str | None = None, why: dict[str, Any] | None = None
) -> Posting:
    """Let a pending transfer happen: a hold is spent, a pending award becomes spendable.

    Raises ``UnknownPending``, or ``AlreadyResolved`` when it was posted or voided under another key.
    """
    return _resolve("post", key=key, pending_key=pending_key, now=now, kind=kind, why=why)


def void_pending(
    *, key: str, pending_key: str, now: datetime, kind: str | None = None, why: dict[str, Any] | None = None
) -> Posting:
    """Let a pending transfer not happen: a hold is released, a pending award is dropped. Raises as ``post_pending``."""
    return _resolve("void", key=key, pending_key=pending_key, now=now, kind=kind, why=why)


def _resolve(
    phase: str, *, key: str, pending_key: str, now: datetime, kind: str | None, why: dict[str, Any] | None
) -> Posting:
    pending = book.booked([pending_key]).get(pending_key)
    if pending is None or pending.phase != "pending":
        raise UnknownPending(pending_key)
    wallet = book.lock_wallets_by_id([pending.wallet_id])[pending.wallet_id]
    opened = db.session.execute(_OPEN.where(Transfer.id == pending.id)).one_or_none()
    if opened is None:
        return _resolved_before(phase, key, pending, wallet)
    drawn = book.drawn_by([pending.id])[pending.id]
    entry = _resolution(phase, wallet, opened, drawn, key=key, now=now, kind=kind, why=why)
    transfer_id = book.write([entry], [wallet])[key]
    return Posting(transfer_id, key, UNITS[wallet.ledger](entry.row["amount"]), created=True)


def _resolved_before(phase: str, key: str, pending: Booked, wallet: LockedWallet) -> Posting:
    resolution = sa.select(Transfer).where(Transfer.pending_id == pending.id, Transfer.phase.in_(("post", "void")))
    earlier = db.session.scalar(resolution)
    if earlier is None or earlier.key != key:
        raise AlreadyResolved(pending.key)
    if earlier.phase != phase:
        raise KeyReused(key)
    return book.posting_of(earlier, wallet.ledger)


def _resolution(
    phase: str,
    wallet: LockedWallet,
    pending: Booked,
    drawn: list[Part],
    *,
    key: str,
    now: datetime,
    kind: str | None = None,
    why: dict[str, Any] | None = None,
) -> Entry:
    """The transfer that posts or voids a pending one. ``drawn`` is what a hold has set aside."""
    is_hold = pending.amount < 0
    # A clawback may have left a debt while points were held; released points pay it off.
    pays_off = min(wallet.debt, -pending.amount) if phase == "void" and is_hold else 0
    row = book.transfer_row(
        wallet,
        amount=pending.open_amount if phase == "post" else 0,
        key=key,
        account=pending.account,
        kind=kind or pending.kind,
        unit_id=pending.unit_id,
        explanation=why or pending.explanation,
        occurred_at=now,
        now=now,
        phase=phase,
        pending_id=pending.id,
        debt_change=-pays_off,
    )
    entry = Entry(row, closes=pending.id)
    if is_hold:
        wallet.held += pending.amount
        spent = drawn if phase == "post" else spread(pays_off, [(part.lot_id, part.amount) for part in drawn])
        entry.draws = spent
        entry.move(drawn, held=-1)
        entry.move(spent, remaining=-1)
        return entry
    wallet.on_the_way -= pending.open_amount
    if phase == "post":
        entry.lots = [_matured(pending, fill=-row["debt_change"])]
    return entry


def _matured(pending: Booked, *, fill: int) -> NewLot:
    return NewLot(
        unit_id=pending.unit_id,
        amount=pending.open_amount,
        fill=fill,
        earned_at=pending.occurred_at,
        expires_at=pending.expires_at,
        idle_months=pending.idle_months,
    )


def settle_due(*, now: datetime, limit: int = 1000) -> int:
    """Resolve pending transfers whose deadline has passed: holds are voided, awards posted. Returns how many.

    The wallets are locked first, then the list is read: nobody can settle one of them meanwhile.
    """
    overdue = sa.select(Pending.wallet_id).where(Pending.deadline <= now).order_by(Pending.deadline).limit(limit)
    wallet_ids = set(db.session.scalars(overdue))
    if not wallet_ids:
        return 0
    wallets = book.lock_wallets_by_id(wallet_ids)
    due = db.session.execute(_OPEN.where(Pending.deadline <= now, Pending.wallet_id.in_(wallet_ids))).all()
    drawn = book.drawn_by([pending.id for pending in due if pending.amount < 0])
    entries = []
    for pending in due:
        try:
            entries.append(_lapsed(wallets[pending.wallet_id], pending, drawn.get(pending.id, []), now=now))
        except DomainError:
            # One that cannot be settled must not keep everybody else waiting. Its wallet is as it was.
            log.exception("Pending transfer %s is overdue and cannot be settled", pending.key)
    book.write(entries, wallets.values())
    return len(entries)


def _lapsed(wallet: LockedWallet, pending: Booked, drawn: list[Part], *, now: datetime) -> Entry:
    """What a deadline does: an award comes, a hold is released."""
    comes = pending.amount > 0
    return _resolution(
        "post" if comes else "void",
        wallet,
        pending,
        drawn,
        key=f"{pending.key}:deadline",
        now=now,
        why=explanation("deadline", posted=comes),
    )
