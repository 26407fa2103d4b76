"""Reads of the ledger. They lock nothing and never decide."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.foundation import clock
from app.foundation.database import UTCDateTime, among, any_of, db, edge, edges_named, fetch, period_of
from app.foundation.points import UNITS, Growth, Points, Quantity
from app.foundation.terms import current
from app.loyalty.ledger.book import DRAWING_ORDER
from app.loyalty.ledger.history import MOVED
from app.loyalty.ledger.models import Lot, Transfer, Wallet
from app.loyalty.ledger.terms import LedgerTerms

# Growth that a member brings from an old system is status earned there. Points are brought to be spent.
EARNING_ACCOUNTS = {Points.ledger: ("issuance",), Growth.ledger: ("issuance", "opening")}
CLOCKS_AHEAD = timedelta(days=32)


@dataclass(frozen=True, slots=True)
class Standing:
    """A member's points account in figures. ``available`` is what can be spent now.

    ``expiring_soon`` is what stops living within the programme's look-ahead, and
    ``expiring_on`` the last day on which the first part of it is valid.
    """

    available: Points
    held: Points
    on_the_way: Points
    debt: Points
    expiring_soon: Points
    expiring_on: date | None
    frozen: bool


def standing(member_id: int, *, now: datetime) -> Standing:
    """One query. Lots that have expired but were not written off yet no longer count as available."""
    # To the minute: points stop living at the end of a day, and a page is kept as long as it asks for the same.
    soon = now.replace(second=0, microsecond=0) + timedelta(days=current(LedgerTerms).expiring_soon_days)
    rows = fetch(_STANDING, {"member": member_id, "now": now, "soon": soon})
    if not rows:
        return Standing(Points(0), Points(0), Points(0), Points(0), Points(0), None, False)
    ((balance, held, on_the_way, debt, frozen_at, gone, expiring, first_at),) = rows
    return Standing(
        available=Points(int(balance - held - gone)),
        held=Points(held),
        on_the_way=Points(on_the_way),
        debt=Points(debt),
        expiring_soon=Points(int(expiring)),
        expiring_on=_last_day(first_at) if first_at else None,
        frozen=frozen_at is not None,
    )


_NOW, _SOON = sa.bindparam("now", type_=UTCDateTime()), sa.bindparam("soon", type_=UTCDateTime())
# Constants of hot statements are written out: SQLite would plan anew for each value that might fit a partial index.
_NONE: sa.ColumnClause[int] = sa.literal_column("0")
_FREE, _DYING = Lot.remaining - Lot.held, sa.and_(Lot.expires_at > _NOW, Lot.expires_at <= _SOON)
_STANDING = (
    sa.select(
        Wallet.balance,
        Wallet.held,
        Wallet.on_the_way,
        Wallet.debt,
        Wallet.frozen_at,
        sa.func.coalesce(sa.func.sum(sa.case((Lot.expires_at <= _NOW, _FREE), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((_DYING, _FREE), else_=0)), 0),
        sa.func.min(sa.case((sa.and_(_DYING, _FREE > 0), Lot.expires_at)), type_=Lot.expires_at.type),
    )
    .select_from(Wallet)
    .outerjoin(Lot, sa.and_(Lot.wallet_id == Wallet.id, Lot.remaining > _NONE, Lot.expires_at <= _SOON))
    .where(Wallet.member_id == sa.bindparam("member"), Wallet.ledger == Points.ledger)
    .group_by(Wallet.id)
)


def growth(member_id: int) -> Growth:
    """A member's growth value. It is never spent and does not expire."""
    rows = fetch(_GROWTH, {"member": member_id})
    return Growth(rows[0][0] if rows else 0)


_GROWTH = sa.select(Wallet.balance).where(Wallet.member_id == sa.bindparam("member"), Wallet.ledger == Growth.ledger)


def _last_day(expires_at: datetime) -> date:
    """The day that still counts: ``expires_at`` is the first moment after it."""
    return clock.local_date(expires_at - timedelta(microseconds=1), clock.programme_zone())


@dataclass(frozen=True, slots=True)
class Freeze:
    """Since when a wallet only receives, and the code of the reason."""

    since: datetime
    reason: str


def freeze_of(member_id: int) -> Freeze | None:
    """``None`` while the member may spend."""
    own = sa.select(Wallet.frozen_at, Wallet.frozen_reason).where(
        Wallet.member_id == member_id, Wallet.ledger == Points.ledger, Wallet.frozen_at.is_not(None)
    )
    row = db.session.execute(own).one_or_none()
    return Freeze(row[0], row[1] or "") if row and row[0] else None


def history(member_id: int, *, ledger: str = Points.ledger, limit: int = 20) -> list[Transfer]:
    """A member's latest transfers, the newest first; for more of them, see ``ledger.history``."""
    return list(db.session.scalars(_LATEST, {"member": member_id, "ledger": ledger, "limit": limit}))


# A subquery, not a join: only so the index gives the lines in order, however long the history is.
_WALLET = sa.select(Wallet.id).where(
    Wallet.member_id == sa.bindparam("member"), Wallet.ledger == sa.bindparam("ledger")
)
_LATEST = (
    sa.select(Transfer)
    .where(Transfer.wallet_id == _WALLET.scalar_subquery(), MOVED)
    .order_by(Transfer.sequence.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


def transfer_of(member_id: int, transfer_id: int) -> Transfer | None:
    """A member's own transfer; ``None`` for anybody else's."""
    return db.session.scalar(
        sa.select(Transfer)
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Wallet.member_id == member_id, Transfer.id == transfer_id)
    )


@dataclass(frozen=True, slots=True)
class OpenLot:
    amount: Points
    remaining: Points
    held: Points
    earned_at: datetime
    last_day: date | None


def open_lots(member_id: int, *, limit: int = 100) -> list[OpenLot]:
    """What is left of a member's lots, in the order in which they will be drawn."""
    statement = (
        sa.select(Lot)
        .join(Wallet, Wallet.id == Lot.wallet_id)
        .where(Wallet.member_id == member_id, Wallet.ledger == Points.ledger, Lot.remaining > 0)
        .order_by(*DRAWING_ORDER)
        .limit(limit)
    )
    return [
        OpenLot(
            Points(lot.amount),
            Points(lot.remaining),
            Points(lot.held),
            lot.earned_at,
            _last_day(lot.expires_at) if lot.expires_at else None,
        )
        for lot in db.session.scalars(statement)
    ]


def expiring_by_day(member_id: int, *, now: datetime) -> list[tuple[date, Points]]:
    """(last valid day, points) of everything that will expire, soonest first; unexpired lots only."""
    rows = fetch(_EXPIRING, {"member": member_id, "now": now})
    return [(_last_day(expires_at), Points(int(total))) for expires_at, total in rows if expires_at]


_EXPIRING = (
    sa.select(Lot.expires_at, sa.func.sum(Lot.remaining - Lot.held))
    .join(Wallet, Wallet.id == Lot.wallet_id)
    .where(
        Wallet.member_id == sa.bindparam("member"),
        Wallet.ledger == Points.ledger,
        Lot.remaining > 0,  # Says nothing new, but names the index of open lots.
        Lot.remaining > Lot.held,
        Lot.expires_at > _NOW,
    )
    .group_by(Lot.expires_at)
    .order_by(Lot.expires_at)
)


def expiring_between(
    since: datetime, until: datetime, *, member_ids: Collection[int] | None = None
) -> sa.Select[int, int]:
    """A statement for what gives notice of expiry: member, points. All that can still be spent and stops living in
    ``(since, until]``, by the index of expiring lots, or that of these members. Who cannot spend is not in it.
    """
    statement = (
        sa.select(Wallet.member_id.label("member_id"), sa.func.sum(Lot.remaining - Lot.held).label("points"))
        .join(Lot, Lot.wallet_id == Wallet.id)
        .where(
            Wallet.ledger == Points.ledger,
            Wallet.frozen_at.is_(None),
            Lot.remaining > sa.literal_column("0"),  # Says nothing new, but names the indexes of open lots.
            Lot.remaining > Lot.held,
            Lot.expires_at > since,
            Lot.expires_at <= until,
        )
        .group_by(Wallet.member_id)
    )
    return statement if member_ids is None else statement.where(any_of(Wallet.member_id, member_ids))


def earned(
    member_ids: Collection[int], *, edges: Sequence[datetime], ledger: str = Points.ledger
) -> dict[int, dict[int, int]]:
    """Points issued to each member for facts between each two neighbouring ``edges``: member → period → points.

    The later edge is excluded, and periods without any are left out. Corrections, opening balances of points and
    points that come back after they were spent are no earning. What was taken back counts against the period in which
    it had been earned, however late that happens. One query, whatever the number of members.
    """
    if not member_ids:
        return {}
    rows = fetch(
        _earned(ledger, len(edges) - 1),
        {"members": list(member_ids), "recorded_since": edges[0] - CLOCKS_AHEAD, **edges_named(edges)},
    )
    found: dict[int, dict[int, int]] = {}
    for member, period, total in rows:
        found.setdefault(member, {})[period] = int(total)
    return found


@cache
def _earned(ledger: str, periods: int) -> sa.Select[int, int, int]:
    """Member, period, and what the house issued and kept issued."""
    award, posting = aliased(Transfer), aliased(Transfer)
    # A subquery, not a join: found by its index for each line, also where the statistics know of no postings yet.
    posted_at = (
        sa.select(posting.occurred_at)
        .where(posting.pending_id == award.id, posting.phase == sa.literal_column("'post'"))
        .scalar_subquery()
    )
    # Most lines take nothing back, and need not ask when that had been earned.
    counted = sa.case(
        (Transfer.reverses_id.is_(None), Transfer.occurred_at),
        else_=sa.func.coalesce(posted_at, award.occurred_at, Transfer.occurred_at),
    )
    return (
        sa.select(Wallet.member_id, period_of(counted, periods), sa.func.sum(Transfer.amount))
        .join(Transfer, Transfer.wallet_id == Wallet.id)
        .outerjoin(award, award.id == Transfer.reverses_id)
        .where(
            among(Wallet.member_id, "members"),
            Wallet.ledger == ledger,
            sa.or_(*(Transfer.account == account for account in EARNING_ACCOUNTS[ledger])),
            sa.or_(*(Transfer.phase == sa.literal_column(phase) for phase in ("'single'", "'post'"))),
            # For the index: a fact is recorded after it took place, or a little before where a till's clock is ahead.
            Transfer.recorded_at >= sa.bindparam("recorded_since", type_=UTCDateTime()),
            counted >= edge(0),
            counted < edge(periods),
        )
        .group_by(Wallet.member_id, "period")
    )


def awards_on_the_way(member_ids: Collection[int], *, kind: str) -> dict[str, datetime | None]:
    """Every award of this kind that had to mature first, by its key, and when it did; ``None`` while it has not.

    One query, whatever the number of members.
    """
    return dict(fetch(_ON_THE_WAY, {"members": list(member_ids), "kind": kind}))


_POSTING = aliased(Transfer)
_ON_THE_WAY = (
    sa.select(
        Transfer.key,
        sa.select(_POSTING.occurred_at)
        .where(_POSTING.pending_id == Transfer.id, _POSTING.phase == sa.literal_column("'post'"))
        .scalar_subquery(),
    )
    .join(Wallet, Wallet.id == Transfer.wallet_id)
    .where(
        among(Wallet.member_id, "members"),
        Transfer.kind == sa.bindparam("kind"),
        Transfer.phase == "pending",
        Transfer.amount > 0,
    )
)


@dataclass(frozen=True, slots=True)
class HouseBalance:
    """What the house gained (+) or gave (−) on one of its accounts."""

    ledger: str
    unit_id: int | None
    account: str
    balance: int


def house_balances() -> Sequence[HouseBalance]:
    """The house's side of the books, summed from the transfers."""
    statement = (
        sa.select(Wallet.ledger, Transfer.unit_id, Transfer.account, -sa.func.sum(Transfer.amount))
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Transfer.phase.in_(("single", "post")))
        .group_by(Wallet.ledger, Transfer.unit_id, Transfer.account)
        .order_by(Wallet.ledger, Transfer.unit_id, Transfer.account)
    )
    rows = db.session.execute(statement)
    return [HouseBalance(ledger, unit_id, account, int(total)) for ledger, unit_id, account, total in rows]


@dataclass(frozen=True, slots=True)
class Booked:
    """A transfer as it stands in the books."""

    member_id: int
    unit_id: int | None
    amount: Quantity
    explanation: dict[str, Any]


def booked(keys: Collection[str]) -> dict[str, Booked]:
    """The transfers that carry these business keys, by one query. Keys that are free are not in it."""
    statement = (
        sa.select(
            Transfer.key, Wallet.member_id, Wallet.ledger, Transfer.unit_id, Transfer.amount, Transfer.explanation
        )
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Transfer.key.in_(keys))
    )
    return {
        key: Booked(member_id, unit_id, UNITS[ledger](amount), why)
        for key, member_id, ledger, unit_id, amount, why in db.session.execute(statement)
    }
