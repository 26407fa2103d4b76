"""What a wallet did in a period: what there was before, every line, what there was after.

``opening + Σ amounts = closing`` by construction: a period is a stretch of the wallet's own numbering, and each
line has the balance after it. The closing balance of one period is the opening balance of the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.points import Points
from app.loyalty.ledger.history import MOVED, first_line_from
from app.loyalty.ledger.models import Transfer, Wallet

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Movement:
    """What lines of one kind came to."""

    kind: str
    lines: int
    gained: Points
    lost: Points


@dataclass(frozen=True, slots=True)
class Period:
    """The lines numbered ``first`` to ``end``, the latter not included. ``lost`` is not positive."""

    wallet_id: int
    first: int
    end: int
    opening: Points
    closing: Points
    movements: Sequence[Movement]

    @property
    def gained(self) -> Points:
        return sum((each.gained for each in self.movements), Points(0))

    @property
    def lost(self) -> Points:
        return sum((each.lost for each in self.movements), Points(0))

    @property
    def lines(self) -> int:
        return sum(each.lines for each in self.movements)


def period_of(member_id: int, *, since: datetime, until: datetime) -> Period:
    """What was booked to a member's points in ``[since, until)``."""
    wallet = sa.select(Wallet.id).where(Wallet.member_id == member_id, Wallet.ledger == Points.ledger)
    wallet_id = db.session.scalar(wallet)
    if wallet_id is None:
        return Period(0, 1, 1, Points(0), Points(0), [])
    first = first_line_from(wallet_id, since)
    end = max(first, first_line_from(wallet_id, until))
    return Period(
        wallet_id, first, end, _balance_before(wallet_id, first), _balance_before(wallet_id, end),
        _movements(wallet_id, first, end),
    )  # fmt: skip


def _balance_before(wallet_id: int, number: int) -> Points:
    """The balance that the line before this one left behind."""
    balance = sa.select(Transfer.balance_after).where(Transfer.wallet_id == wallet_id, Transfer.sequence == number - 1)
    return Points(db.session.scalar(balance) or 0)


def _movements(wallet_id: int, first: int, end: int) -> list[Movement]:
    total = sa.func.sum
    statement = (
        sa.select(
            Transfer.kind,
            sa.func.count(),
            total(sa.case((Transfer.amount > 0, Transfer.amount), else_=0)),
            total(sa.case((Transfer.amount < 0, Transfer.amount), else_=0)),
        )
        .where(*_within(wallet_id, first, end))
        .group_by(Transfer.kind)
    )
    rows = db.session.execute(statement)
    return [Movement(kind, lines, Points(int(gained)), Points(int(lost))) for kind, lines, gained, lost in rows]


def _within(wallet_id: int, first: int, end: int) -> list[sa.ColumnElement[bool]]:
    return [Transfer.wallet_id == wallet_id, Transfer.sequence >= first, Transfer.sequence < end, MOVED]


def lines_in(period: Period, *, after: int = 0, limit: int) -> Sequence[Transfer]:
    """The oldest ``limit`` lines behind the number ``after``."""
    first = max(period.first, after + 1)
    within = _within(period.wallet_id, first, period.end)
    return db.session.scalars(sa.select(Transfer).where(*within).order_by(Transfer.sequence).limit(limit)).all()


def all_lines_in(period: Period) -> Iterator[Sequence[Transfer]]:
    """Every line, the oldest first, some at a time; nothing is kept in memory, and no transaction stays open
    while a slow reader takes what was yielded."""
    after = 0
    while lines := lines_in(period, after=after, limit=BATCH):
        after = lines[-1].sequence
        db.session.expunge_all()
        db.session.rollback()
        yield lines


def first_booked(member_id: int) -> datetime | None:
    """When the first line of a member's points was booked."""
    return db.session.scalar(
        sa.select(Transfer.recorded_at)
        .join(Wallet, Wallet.id == Transfer.wallet_id)
        .where(Wallet.member_id == member_id, Wallet.ledger == Points.ledger, Transfer.sequence == 1)
    )
