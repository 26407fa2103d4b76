"""Reads of code pools. A member's codes are always asked for by the member; a pool's by the units that keep it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import any_of, db
from app.foundation.listing import Part, part_of
from app.foundation.terms import current
from app.mall.catalog.queries import variants_of_kind
from app.mall.codes.models import PoolCode
from app.mall.codes.terms import CodeTerms

KIND = "code"
FREE = PoolCode.order_line_id.is_(None), PoolCode.withdrawn_at.is_(None)
UNSEEN = PoolCode.shown_at.is_(None), PoolCode.withdrawn_at.is_(None)
STATES: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
    "free": FREE,
    "handed": (PoolCode.order_line_id.is_not(None), PoolCode.shown_at.is_(None)),
    "shown": (PoolCode.shown_at.is_not(None),),
    "withdrawn": (PoolCode.withdrawn_at.is_not(None),),
}


# --- what is asked of a pool ----------------------------------------------------------------------

# (variant_id, pieces, waiting, orders): those above that ask for codes register what of theirs has none yet.
_asked: list[sa.Select[*tuple[Any, ...]]] = []


def register_asked(pieces: sa.Select[*tuple[Any, ...]]) -> None:
    """``pieces`` of each variant that were ordered and have no code yet; ``waiting`` ones are paid, for ``orders``."""
    _asked[:] = [pieces]


def _asked_for() -> sa.Subquery:
    if not _asked:
        raise RuntimeError("Nobody has said which pieces wait for codes.")
    return _asked[0].subquery("asked")


@dataclass(frozen=True, slots=True)
class Standing:
    """How many codes of a variant are free, and how many pieces are asked for; ``stock`` is what is for sale."""

    sku: str
    stock: int
    free: int
    asked: int

    @property
    def right(self) -> int:
        """What the stock must be. Where codes were withdrawn that orders rely on, nothing is for sale."""
        return max(0, self.free - self.asked)

    def __str__(self) -> str:
        return f"{self.sku}: stock {self.stock}, but {self.free} free codes and {self.asked} pieces ordered"


def standing_of(variant_id: int) -> Standing | None:
    """By one statement: an order that is paid takes a code and asks for one less, and both are seen, or neither."""
    row = db.session.execute(_standings().where(_shelf.c.variant_id == variant_id)).one_or_none()
    return Standing(*row) if row else None


def mismatches() -> list[Standing]:
    """Every voucher whose stock is not free codes less reserved and waiting pieces; none in a sound house."""
    return [
        standing for row in db.session.execute(_standings()) if (standing := Standing(*row)).stock != standing.right
    ]


_shelf = variants_of_kind(KIND).subquery("shelf")


def _standings() -> sa.Select[*tuple[Any, ...]]:
    asked = _asked_for()
    free = sa.select(sa.func.count()).where(PoolCode.variant_id == _shelf.c.variant_id, *FREE).scalar_subquery()
    return sa.select(_shelf.c.sku, _shelf.c.stock, free, sa.func.coalesce(asked.c.pieces, 0)).select_from(
        _shelf.outerjoin(asked, asked.c.variant_id == _shelf.c.variant_id)
    )


# --- for the office -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The pool of one variant. Of what was handed out so many were ``shown``; ``orders`` wait for ``waiting`` codes."""

    variant_id: int
    sku: str
    stock: int
    name: dict[str, str]
    variant_name: dict[str, str]
    slug: str
    unit_id: int
    free: int
    handed: int
    shown: int
    withdrawn: int
    asked: int
    waiting: int
    orders: int

    @property
    def right_stock(self) -> int:
        return Standing(self.sku, self.stock, self.free, self.asked).right


def pools(units: Collection[int] | None) -> list[Pool]:
    """Those of units (``None``: all); where orders wait stands first, then where least is free."""
    found = [_pool(row) for row in db.session.execute(_pools(units)).mappings()]
    return sorted(found, key=lambda pool: (-pool.waiting, pool.stock, pool.sku))


def pool_of(units: Collection[int] | None, sku: str) -> Pool | None:
    """One pool among those of units."""
    row = db.session.execute(_pools(units, sku).where(_shelf.c.sku == sku)).mappings().one_or_none()
    return _pool(row) if row else None


def orders_waiting(units: Collection[int] | None) -> tuple[int, int]:
    """(orders that wait for codes, codes that they wait for)"""
    asked = _asked_for()
    sums = sa.select(
        sa.func.coalesce(sa.func.sum(asked.c.orders), 0), sa.func.coalesce(sa.func.sum(asked.c.waiting), 0)
    )
    row = db.session.execute(
        sums.select_from(asked.join(_shelf, _shelf.c.variant_id == asked.c.variant_id)).where(*_within(units))
    ).one()
    return int(row[0]), int(row[1])


def _within(units: Collection[int] | None) -> list[sa.ColumnElement[bool]]:
    return [] if units is None else [_shelf.c.unit_id.in_(units)]


def _pools(units: Collection[int] | None, sku: str | None = None) -> sa.Select[*tuple[Any, ...]]:
    """With ``sku`` only that pool's codes are counted."""
    asked = _asked_for()
    counts = sa.select(
        PoolCode.variant_id.label("pool_of"),
        *(sa.func.count().filter(sa.and_(*conditions)).label(state) for state, conditions in STATES.items()),
    )
    if sku is not None:
        only = sa.select(_shelf.c.variant_id).where(_shelf.c.sku == sku).scalar_subquery()
        counts = counts.where(PoolCode.variant_id == only)
    counted = counts.group_by(PoolCode.variant_id).subquery("counted")
    figures = [
        sa.func.coalesce(column, 0).label(name)
        for name, column in (
            *((state, counted.c[state]) for state in STATES),
            ("asked", asked.c.pieces),
            ("waiting", asked.c.waiting),
            ("orders", asked.c.orders),
        )
    ]
    joined = _shelf.outerjoin(counted, counted.c.pool_of == _shelf.c.variant_id).outerjoin(
        asked, asked.c.variant_id == _shelf.c.variant_id
    )
    return sa.select(_shelf, *figures).select_from(joined).where(*_within(units))


def _pool(row: sa.RowMapping) -> Pool:
    facts = {name: row[name] for name in Pool.__slots__}
    return Pool(**facts | {name: int(facts[name]) for name in ("waiting", "orders", "asked")})


@dataclass(frozen=True, slots=True)
class Batch:
    """Codes that came together. ``first`` and ``last`` of their last days; ``None`` where they are for ever."""

    name: str
    codes: int
    free: int
    added_at: datetime
    first: date | None
    last: date | None


def batches(variant_id: int, *, name: str | None = None, limit: int = 50) -> list[Batch]:
    """Those of a pool, the latest first; with ``name`` that one."""
    named = [] if name is None else [PoolCode.batch == name]
    query = (
        sa.select(
            PoolCode.batch,
            sa.func.count(),
            sa.func.count().filter(sa.and_(*FREE)),
            sa.func.min(PoolCode.added_at),
            sa.func.min(PoolCode.last_day),
            sa.func.max(PoolCode.last_day),
        )
        .where(PoolCode.variant_id == variant_id, *named)
        .group_by(PoolCode.batch)
        .order_by(sa.func.max(PoolCode.id).desc())
        .limit(limit)
    )
    return [Batch(*row) for row in db.session.execute(query)]


def codes_of_pool(
    variant_id: int,
    *,
    state: str = "",
    batch: str | None = None,
    sought: str = "",
    after: str | None = None,
    limit: int,
) -> Part[PoolCode]:
    """Codes of a pool, the latest first. ``sought`` is a whole code, or its last signs as lists show them.

    More signs than lists show are compared with the whole: nobody finds a code out sign by sign.
    """
    query = sa.select(PoolCode).where(PoolCode.variant_id == variant_id, *STATES.get(state, ()))
    if batch is not None:
        query = query.where(PoolCode.batch == batch)
    if sought:
        fits = PoolCode.code == sought
        if len(sought) <= SHOWN:
            shown = sa.func.length(PoolCode.code) >= 2 * SHOWN
            fits |= sa.and_(shown, PoolCode.code.endswith(sought, autoescape=True))
        query = query.where(fits)
    return part_of(query, keys=[PoolCode.id], after=after, limit=limit)


SHOWN = 4


def code_in_pool(variant_id: int, code_id: int) -> PoolCode | None:
    return db.session.scalar(sa.select(PoolCode).where(PoolCode.id == code_id, PoolCode.variant_id == variant_id))


def known_codes(variant_id: int, codes: Collection[str]) -> set[str]:
    """Which of these the pool has, or ever had."""
    query = sa.select(PoolCode.code).where(PoolCode.variant_id == variant_id, any_of(PoolCode.code, codes))
    return set(db.session.scalars(query))


def has_codes(variant_ids: Collection[int]) -> bool:
    """Does one of these variants have a pool that is not empty?"""
    query = sa.select(PoolCode.id).where(any_of(PoolCode.variant_id, variant_ids)).limit(1)
    return db.session.scalar(query) is not None


def pools_with_ended(*, among: Collection[int] | None = None, now: datetime) -> Sequence[int]:
    """Variants (of all, or ``among`` these) with free codes that end too soon to be sold."""
    ended = PoolCode.last_day < current(CodeTerms).sold_until(_today(now))
    query = sa.select(PoolCode.variant_id).where(*FREE, ended).distinct()
    if among is not None:
        query = query.where(any_of(PoolCode.variant_id, among))
    return db.session.scalars(query.order_by(PoolCode.variant_id)).all()


# --- for those who own one ------------------------------------------------------------------------


def codes_of_member(member_id: int, *, after: str | None = None, limit: int) -> Part[PoolCode]:
    """All that a member owns, the latest first."""
    query = sa.select(PoolCode).where(PoolCode.member_id == member_id)
    return part_of(query, keys=[PoolCode.handed_at, PoolCode.id], after=after, limit=limit)


def own_code(member_id: int, code_id: int) -> PoolCode | None:
    """One code of this member; somebody else's looks like none."""
    return db.session.scalar(sa.select(PoolCode).where(PoolCode.id == code_id, PoolCode.member_id == member_id))


def codes_of_lines(member_id: int, order_line_ids: Collection[int]) -> list[PoolCode]:
    """The codes of a member's order, by line."""
    query = sa.select(PoolCode).where(any_of(PoolCode.order_line_id, order_line_ids), PoolCode.member_id == member_id)
    return list(db.session.scalars(query.order_by(PoolCode.order_line_id, PoolCode.id)))


def ending_soon(member_id: int, *, now: datetime) -> Sequence[PoolCode]:
    """What a member owns and will soon be unable to use, the nearest end first."""
    today = _today(now)
    until = today + timedelta(days=current(CodeTerms).remind_days)
    mine = PoolCode.member_id == member_id, PoolCode.withdrawn_at.is_(None)
    query = sa.select(PoolCode).where(*mine, PoolCode.last_day.between(today, until))
    return db.session.scalars(query.order_by(PoolCode.last_day, PoolCode.id)).all()


def unseen(order_line_ids: Collection[int], *, handed_after: datetime | None = None) -> dict[int, int]:
    """How many codes of these lines their owner has not looked at yet, by line: those can still be given back.

    With ``handed_after`` only those that were handed out later.
    """
    later = [] if handed_after is None else [PoolCode.handed_at > handed_after]
    query = sa.select(PoolCode.order_line_id, sa.func.count()).where(
        any_of(PoolCode.order_line_id, order_line_ids), *UNSEEN, *later
    )
    rows = db.session.execute(query.group_by(PoolCode.order_line_id))
    return {line_id: count for line_id, count in rows if line_id is not None}


def shown_of_lines(order_line_ids: Collection[int]) -> list[PoolCode]:
    """The codes of these lines that their owner looked at and that are good, as far as we know."""
    looked_at = PoolCode.shown_at.is_not(None), PoolCode.withdrawn_at.is_(None)
    query = sa.select(PoolCode).where(any_of(PoolCode.order_line_id, order_line_ids), *looked_at)
    return list(db.session.scalars(query.order_by(PoolCode.id)))


def codes_by_ids(ids: Collection[int]) -> list[PoolCode]:
    return list(db.session.scalars(sa.select(PoolCode).where(any_of(PoolCode.id, ids)).order_by(PoolCode.id)))


def _today(now: datetime) -> date:
    return clock.local_date(now, clock.programme_zone())
