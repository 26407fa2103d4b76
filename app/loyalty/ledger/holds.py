"""The second phase: a pending transfer is posted or voided, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.points import UNITS
from app.loyalty.ledger import book
from app.loyalty.ledger.book import LockedWallet, Posting
from app.loyalty.ledger.errors import AlreadyResolved, KeyReused, UnknownPending
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.models import Pending, Transfer
from app.loyalty.ledger.rules import spread


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
    pending = db.session.scalar(sa.select(Transfer).where(Transfer.key == pending_key, Transfer.phase == "pending"))
    if pending is None:
        raise UnknownPending(pending_key)
    wallet = book.lock_wallets_by_id([pending.wallet_id])[pending.wallet_id]
    opened = db.session.get(Pending, pending.id, populate_existing=True)
    if opened is None:
        return _resolved_before(phase, key, pending, wallet)
    # A clawback may have left a debt while points were held; released points pay it off.
    pays_off = min(wallet.debt, -pending.amount) if phase == "void" and pending.amount < 0 else 0
    row = book.transfer_row(
        wallet,
        amount=opened.amount if phase == "post" else 0,
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
    transfer_id = book.write_transfers([row])[key]
    if pending.amount < 0:
        _resolve_hold(phase, wallet, pending, transfer_id, pays_off)
    else:
        _resolve_award(phase, wallet, pending, opened, transfer_id, fill=-row["debt_change"])
    book.close_pending(pending.id)
    db.session.expunge(opened)
    book.write_wallets([wallet])
    return Posting(transfer_id, key, UNITS[wallet.ledger](row["amount"]), created=True)


def _resolved_before(phase: str, key: str, pending: Transfer, wallet: LockedWallet) -> Posting:
    resolution = sa.select(Transfer).where(Transfer.pending_id == pending.id, Transfer.phase.in_(("post", "void")))
    earlier = db.session.scalar(resolution)
    if earlier is None or earlier.key != key:
        raise AlreadyResolved(pending.key)
    if earlier.phase != phase:
        raise KeyReused(key)
    return book.posting_of(earlier, wallet.ledger)


def _resolve_hold(phase: str, wallet: LockedWallet, pending: Transfer, transfer_id: int, pays_off: int) -> None:
    parts = book.drawn_by(pending.id)
    wallet.held += pending.amount
    book.change_lots(parts, remaining=0, held=-1)
    spent = parts if phase == "post" else spread(pays_off, [(part.lot_id, part.amount) for part in parts])
    book.write_draws([(transfer_id, spent)])
    book.change_lots(spent, remaining=-1, held=0)


def _resolve_award(
    phase: str, wallet: LockedWallet, pending: Transfer, opened: Pending, transfer_id: int, *, fill: int
) -> None:
    wallet.on_the_way -= opened.amount
    if phase == "void":
        return
    lot = {
        "transfer_id": transfer_id,
        "wallet_id": wallet.id,
        "unit_id": pending.unit_id,
        "amount": opened.amount,
        "fill": fill,
        "earned_at": pending.occurred_at,
        "expires_at": opened.expires_at,
    }
    book.open_lots([lot])


def settle_due(*, now: datetime, limit: int = 200) -> int:
    """Resolve pending transfers whose deadline has passed: holds are voided, awards posted. Returns how many.

    The wallets are locked first, then the list is read: nobody can settle one of them meanwhile.
    """
    overdue = sa.select(Pending.wallet_id).where(Pending.deadline <= now).order_by(Pending.deadline).limit(limit)
    wallet_ids = set(db.session.scalars(overdue))
    if not wallet_ids:
        return 0
    book.lock_wallets_by_id(wallet_ids)
    statement = (
        sa.select(Transfer.key, Transfer.amount)
        .join(Pending, Pending.transfer_id == Transfer.id)
        .where(Pending.deadline <= now, Pending.wallet_id.in_(wallet_ids))
        .order_by(Pending.transfer_id)
    )
    due = db.session.execute(statement).all()
    for key, amount in due:
        resolve = post_pending if amount > 0 else void_pending
        resolve(key=f"{key}:deadline", pending_key=key, now=now, why=explanation("deadline", posted=amount > 0))
    return len(due)
