"""Lots at the end of their life, and the order in which lots are drawn."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.foundation import clock
from app.foundation.database import LockOrder, among, fetch, keep_lock_order, table_of
from app.loyalty.ledger import book
from app.loyalty.ledger.book import LockedWallet, Owner
from app.loyalty.ledger.errors import NoWallet
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.models import Lot, Pending, Wallet
from app.loyalty.ledger.rules import Part, idle_until
from app.loyalty.ledger.writing import Entry, taking

_FREE = Lot.remaining - Lot.held
# Written out, not bound: only so is a prepared statement known to fit the indexes of open lots.
_SOMETHING_LEFT = Lot.remaining > sa.literal_column("0")
_LOT = (Lot.wallet_id, Lot.id, _FREE, Lot.expires_at, Lot.unit_id, Lot.earned_at)
_FREE_LOTS = sa.select(*_LOT).where(_SOMETHING_LEFT, Lot.remaining > Lot.held).order_by(*book.DRAWING_ORDER)
_FREE_LOTS_OF_ONE = _FREE_LOTS.where(Lot.wallet_id == sa.bindparam("wallet"))
_FREE_LOTS_OF_MANY = _FREE_LOTS.where(among(Lot.wallet_id, "wallets"))
_EXPIRED_LOTS = _FREE_LOTS_OF_MANY.where(Lot.expires_at <= sa.bindparam("now"))
_IDLE_LOTS = sa.select(Lot.id, Lot.wallet_id, Lot.idle_months, Lot.expires_at).where(
    among(Lot.wallet_id, "wallets"), Lot.idle_months.is_not(None)
)
_IDLE_PENDING = sa.select(Pending.transfer_id, Pending.wallet_id, Pending.idle_months, Pending.expires_at).where(
    among(Pending.wallet_id, "wallets"), Pending.idle_months.is_not(None)
)

# A wallet with its lots: a row for each lot, or one with no lot. ``_SEEN`` is the wallet as it was when the
# statement began, and so were the lots; the wallet that it locks is as it is now.
_LOCKED = book.LOCK_ONE.cte("locked")
_SEEN = aliased(Wallet)
LOCK_ONE_WITH_LOTS = (
    sa.select(*_LOCKED.c, _SEEN.sequence, *_LOT)
    .join_from(_LOCKED, _SEEN, _SEEN.id == _LOCKED.c.id)
    .outerjoin(Lot, sa.and_(Lot.wallet_id == _LOCKED.c.id, _SOMETHING_LEFT, Lot.remaining > Lot.held))
    .order_by(*book.DRAWING_ORDER)
)

Free = tuple[int, int]  # A lot's id, and how much of it is free.


class FreeLot(NamedTuple):
    """A lot that is not used up; ``free`` is what no hold has set aside."""

    wallet_id: int
    id: int
    free: int
    expires_at: datetime | None
    unit_id: int | None
    earned_at: datetime


Drawable = tuple[dict[int, list[Free]], list[Entry]]


def lock_with_lots(owners: Collection[Owner], *, now: datetime) -> tuple[dict[Owner, LockedWallet], *Drawable]:
    """Lock these wallets as ``lock_wallets`` does and read their lots as ``live_lots``: of one by one statement."""
    if len(owners) > 1:
        wallets = book.lock_wallets(owners)
        return wallets, *live_lots(wallets.values(), now=now)
    keep_lock_order(LockOrder.WALLET)
    [(member_id, ledger)] = owners
    rows = fetch(LOCK_ONE_WITH_LOTS, {"member": member_id, "ledger": ledger})
    if not rows:
        raise NoWallet(member_id)
    width = len(_LOCKED.c)
    wallet, seen = LockedWallet(*rows[0][:width]), rows[0][width]
    if wallet.sequence != seen:  # Somebody posted while we waited for the lock: the lots are not those any more.
        return {(member_id, ledger): wallet}, *live_lots([wallet], now=now)
    lots = (FreeLot._make(row[width + 1 :]) for row in rows if row[width + 1] is not None)
    return {(member_id, ledger): wallet}, *_drawable([wallet], lots, now=now)


def live_lots(wallets: Collection[LockedWallet], *, now: datetime) -> Drawable:
    """The free lots of these locked wallets in drawing order, by wallet; and entries that write off what has expired.

    The entries stand before any that is made afterwards, and are written together with it.
    """
    return _drawable(wallets, _free_lots([wallet.id for wallet in wallets]), now=now)


def _drawable(wallets: Iterable[LockedWallet], lots: Iterable[FreeLot], *, now: datetime) -> Drawable:
    by_id = {wallet.id: wallet for wallet in wallets}
    alive: dict[int, list[Free]] = {wallet_id: [] for wallet_id in by_id}
    dead: list[FreeLot] = []
    for lot in lots:
        if lot.expires_at is None or lot.expires_at > now:
            alive[lot.wallet_id].append((lot.id, lot.free))
        else:
            dead.append(lot)
    return alive, _write_off(by_id, dead, now=now)


def _free_lots(wallet_ids: Sequence[int]) -> list[FreeLot]:
    if len(wallet_ids) == 1:
        rows = fetch(_FREE_LOTS_OF_ONE, {"wallet": wallet_ids[0]})
    else:
        rows = fetch(_FREE_LOTS_OF_MANY, {"wallets": wallet_ids})
    return [FreeLot._make(row) for row in rows]


def expired_lots(wallets: Iterable[LockedWallet], *, now: datetime) -> list[Entry]:
    """Entries that write off what has expired in these locked wallets. What holds have set aside stays."""
    by_id = {wallet.id: wallet for wallet in wallets}
    rows = fetch(_EXPIRED_LOTS, {"wallets": list(by_id), "now": now})
    return _write_off(by_id, map(FreeLot._make, rows), now=now)


def _write_off(by_id: Mapping[int, LockedWallet], lots: Iterable[FreeLot], *, now: datetime) -> list[Entry]:
    """One line for all that expired in a wallet at one moment and was issued by one unit."""
    lines: dict[tuple[int, datetime, int | None], list[FreeLot]] = {}
    for lot in lots:
        assert lot.expires_at is not None  # What never expires has not expired.
        lines.setdefault((lot.wallet_id, lot.expires_at, lot.unit_id), []).append(lot)
    return [
        _expiry(by_id[wallet_id], unit_id, expires_at, together, now=now)
        for (wallet_id, expires_at, unit_id), together in lines.items()
    ]


def _expiry(
    wallet: LockedWallet, unit_id: int | None, expires_at: datetime, lots: Sequence[FreeLot], *, now: datetime
) -> Entry:
    parts = [Part(lot.id, lot.free) for lot in lots]
    row = book.transfer_row(
        wallet,
        amount=-sum(part.amount for part in parts),
        # The sequence number tells apart two expiries of one moment, when a hold was released in between.
        key=f"wallet:{wallet.id}:expiry:{wallet.sequence + 1}",
        account="expiry",
        kind="expiry",
        unit_id=unit_id,
        explanation=_why([lot.earned_at for lot in lots], expires_at),
        occurred_at=expires_at,
        now=now,
    )
    return taking(row, parts)


def _why(earned_at: Sequence[datetime], expires_at: datetime) -> dict[str, Any]:
    zone = clock.programme_zone()
    first, last = clock.local_date(min(earned_at), zone), clock.local_date(max(earned_at), zone)
    last_day = clock.local_date(expires_at - timedelta(seconds=1), zone)
    why = explanation("expiry", earned_on=first.isoformat(), last_day=last_day.isoformat())
    return why if first == last else {**why, "earned_until": last.isoformat()}


def prolong(active: Mapping[int, datetime], *, now: datetime) -> None:
    """Let the lots that live as long as the member is active live on: wallet → when the member was active.

    What has expired already is not brought back, and nothing ever lives shorter. Lots that are used up
    live on, too: a return may put points back into them.
    """
    zone = clock.programme_zone()
    for table, rows in (
        (table_of(Lot), book.run(_IDLE_LOTS, {"wallets": list(active)}).all()),
        (table_of(Pending), book.run(_IDLE_PENDING, {"wallets": list(active)}).all()),
    ):
        later = [
            {"row": row_id, "until": until}
            for row_id, wallet_id, idle_months, expires_at in rows
            if now < expires_at < (until := idle_until(active[wallet_id], idle_months, zone))
        ]
        if later:
            key = next(iter(table.primary_key))
            book.run(sa.update(table).where(key == sa.bindparam("row")).values(expires_at=sa.bindparam("until")), later)


_FIRST_TO_EXPIRE = (
    sa.select(Lot.wallet_id)
    .where(_SOMETHING_LEFT, Lot.expires_at <= sa.bindparam("now"), Lot.remaining > Lot.held)
    .order_by(Lot.expires_at)
    .limit(sa.bindparam("limit"))
)


def expire_some(*, now: datetime, limit: int = 5_000) -> int:
    """Expire the wallets of the ``limit`` lots that are overdue longest, in the caller's transaction.

    Returns how many wallets there were; none means that all is done.
    """
    overdue = {row[0] for row in fetch(_FIRST_TO_EXPIRE, {"now": now, "limit": limit})}
    if overdue:
        wallets = book.lock_wallets_by_id(overdue).values()
        book.write(expired_lots(wallets, now=now), wallets)
    return len(overdue)
