"""A member's history: filtered, searched and paged, at a cost that does not grow with its length.

Every part is read backwards from where the last one ended, along the wallet's own numbering. Where a filter
fits hardly anything, a part ends after ``LOOKED_THROUGH`` lines, with less to show and a place to go on from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import sqlalchemy as sa

from app.foundation.database import db, fetch
from app.foundation.jsontext import says
from app.foundation.points import Points
from app.loyalty.ledger.models import Pending, Transfer, Wallet

Show = Literal["all", "earned", "spent", "expired", "on_the_way"]

LOOKED_THROUGH = 20_000
RECENT = 1_000
MOVED = Transfer.phase.in_(("single", "post"))


@dataclass(frozen=True, slots=True)
class Word:
    """Something that a line must have to do with: it stands in the explanation or the key, or names one of these."""

    text: str
    kinds: Sequence[str] = ()
    unit_ids: Sequence[int] = ()
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; all of it must fit. The period is that of booking, ``[since, until)``."""

    ledger: str = Points.ledger
    show: Show = "all"
    kind: str | None = None
    unit_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    words: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """``before`` is where the next part begins; ``None`` at the end."""

    transfers: Sequence[Transfer]
    before: int | None


def find(member_id: int, wanted: Wanted, *, before: int | None = None, limit: int = 20) -> Found:
    """The newest ``limit`` lines below the number ``before``. Holds and voids move nothing and are left out,
    except that ``on_the_way`` shows what is still pending."""
    wallet = _wallet(member_id, wanted.ledger)
    if wallet is None:
        return Found([], None)
    wallet_id, sequence = wallet
    first = first_line_from(wallet_id, wanted.since) if wanted.since else 1
    end = first_line_from(wallet_id, wanted.until) if wanted.until else sequence + 1
    end = min(end, before or end)
    floor = first if wanted.show == "on_the_way" else max(first, end - LOOKED_THROUGH)
    statement = (
        sa.select(Transfer)
        .where(Transfer.wallet_id == wallet_id, Transfer.sequence >= floor, Transfer.sequence < end)
        .where(*(_about(word) for word in wanted.words))
        .order_by(Transfer.sequence.desc())
        .limit(limit + 1)
    )
    found = db.session.scalars(_narrowed(statement, wanted)).all()
    if len(found) > limit:
        return Found(found[:limit], found[limit - 1].sequence)
    return Found(found, floor if floor > first else None)


def _narrowed(statement: sa.Select[Transfer], wanted: Wanted) -> sa.Select[Transfer]:
    if wanted.show == "on_the_way":
        statement = statement.join(Pending, Pending.transfer_id == Transfer.id)
    else:
        statement = statement.where(MOVED)
    if wanted.show == "earned":
        statement = statement.where(Transfer.amount > 0)
    elif wanted.show == "spent":
        statement = statement.where(Transfer.amount < 0, Transfer.account != "expiry")
    elif wanted.show == "expired":
        statement = statement.where(Transfer.account == "expiry")
    if wanted.kind is not None:
        statement = statement.where(Transfer.kind == wanted.kind)
    if wanted.unit_id is not None:
        statement = statement.where(Transfer.unit_id == wanted.unit_id)
    return statement


def _about(word: Word) -> sa.ColumnElement[bool]:
    places = [
        Transfer.key.icontains(word.text, autoescape=True),
        says(Transfer.explanation, word.text, besides=["code", "digest"]),
    ]
    if word.kinds:
        places.append(Transfer.kind.in_(word.kinds))
    if word.unit_ids:
        places.append(Transfer.unit_id.in_(word.unit_ids))
    if word.amount is not None:
        places.append(sa.func.abs(Transfer.amount) == word.amount)
    return sa.or_(*places)


def first_line_from(wallet_id: int, moment: datetime) -> int:
    """The number of a wallet's first line booked at ``moment`` or later; of the line to come where there is none yet.

    Where every period begins and the one before it ends, so that periods side by side have each line once.
    """
    booked = (
        sa.select(Transfer.sequence)
        .where(Transfer.wallet_id == wallet_id, Transfer.recorded_at >= moment)
        .order_by(Transfer.recorded_at, Transfer.sequence)
        .limit(1)
    )
    to_come = sa.select(Wallet.sequence + 1).where(Wallet.id == wallet_id)
    number = db.session.scalar(booked)
    return number if number is not None else db.session.execute(to_come).scalar_one()


def kinds_of(member_id: int, ledger: str) -> list[str] | None:
    """The kinds of lines that a member has; ``None`` for a history too long to look through: it may have any."""
    wallet = _wallet(member_id, ledger)
    if wallet is None:
        return []
    wallet_id, sequence = wallet
    if sequence > RECENT:
        return None
    return [kind for (kind,) in fetch(_KINDS, {"wallet": wallet_id})]


_KINDS = sa.select(Transfer.kind).where(Transfer.wallet_id == sa.bindparam("wallet")).distinct()
_LENGTH = sa.select(Wallet.id, Wallet.sequence).where(
    Wallet.member_id == sa.bindparam("member"), Wallet.ledger == sa.bindparam("ledger")
)


def _wallet(member_id: int, ledger: str) -> tuple[int, int] | None:
    """The id of a member's wallet, and the number of its last line."""
    rows = fetch(_LENGTH, {"member": member_id, "ledger": ledger})
    return rows[0] if rows else None
