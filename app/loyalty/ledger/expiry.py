"""Lots at the end of their life, and the order in which lots are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db
from app.loyalty.ledger import book
from app.loyalty.ledger.book import LockedWallet
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.models import Lot
from app.loyalty.ledger.rules import Part

_FREE_LOTS = (
    sa.select(Lot.id, Lot.remaining - Lot.held, Lot.expires_at)
    .where(Lot.wallet_id == sa.bindparam("wallet"), Lot.remaining > 0, Lot.remaining > Lot.held)
    .order_by(*book.DRAWING_ORDER)
)
_EXPIRED_LOTS = (
    sa.select(Lot.id, Lot.wallet_id, Lot.unit_id, Lot.remaining - Lot.held, Lot.earned_at, Lot.expires_at)
    .where(
        Lot.wallet_id.in_(sa.bindparam("wallets", expanding=True)),
        Lot.remaining > 0,
        Lot.expires_at <= sa.bindparam("now"),
        Lot.remaining > Lot.held,
    )
    .order_by(Lot.expires_at, Lot.id)
)


def live_lots(wallet: LockedWallet, *, now: datetime) -> list[tuple[int, int]]:
    """``(lot id, free amount)`` in drawing order. What has expired is written off on the way."""
    lots = book.run(_FREE_LOTS, {"wallet": wallet.id}).all()
    alive = [(lot_id, free) for lot_id, free, expires_at in lots if expires_at is None or expires_at > now]
    if len(alive) < len(lots):
        expire_lots([wallet], now=now)
    return alive


def expire_lots(wallets: Sequence[LockedWallet], *, now: datetime) -> int:
    """Write off what has expired in these locked wallets; what holds have set aside stays. Returns how many lots."""
    by_id = {wallet.id: wallet for wallet in wallets}
    expired = book.run(_EXPIRED_LOTS, {"wallets": list(by_id), "now": now}).all()
    if not expired:
        return 0
    rows, parts = [], {}
    for lot_id, wallet_id, unit_id, free, earned_at, expires_at in expired:
        wallet = by_id[wallet_id]
        assert expires_at is not None  # The query asked for those that expire.
        # The sequence number tells apart two expiries of one lot, when a hold was released in between.
        key = f"lot:{lot_id}:expiry:{wallet.sequence + 1}"
        rows.append(
            book.transfer_row(
                wallet,
                amount=-free,
                key=key,
                account="expiry",
                kind="expiry",
                unit_id=unit_id,
                explanation=_why(earned_at, expires_at),
                occurred_at=expires_at,
                now=now,
            )
        )
        parts[key] = Part(lot_id, free)
    ids = book.write_transfers(rows)
    book.write_draws((ids[key], [part]) for key, part in parts.items())
    book.change_lots(parts.values(), remaining=-1, held=0)
    return len(rows)


def _why(earned_at: datetime, expires_at: datetime) -> dict[str, Any]:
    zone = clock.programme_zone()
    return explanation(
        "expiry",
        earned_on=clock.local_date(earned_at, zone).isoformat(),
        last_day=clock.local_date(expires_at - timedelta(seconds=1), zone).isoformat(),
    )


def wallets_with_expired_lots(*, now: datetime, limit: int) -> list[int]:
    statement = (
        sa.select(Lot.wallet_id)
        .where(Lot.remaining > 0, Lot.expires_at.is_not(None), Lot.expires_at <= now, Lot.remaining > Lot.held)
        .distinct()
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def expire_some(*, now: datetime, limit: int = 500) -> int:
    """Expire the lots of up to ``limit`` wallets, in the caller's transaction. Returns how many wallets there were."""
    wallet_ids = wallets_with_expired_lots(now=now, limit=limit)
    if wallet_ids:
        wallets = list(book.lock_wallets_by_id(wallet_ids).values())
        expire_lots(wallets, now=now)
        book.write_wallets(wallets)
    return len(wallet_ids)
