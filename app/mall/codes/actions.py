"""Verbs of code pools. Locks: the variant first (stock), then its codes.

Whatever changes a pool brings the variant's stock in line with it, in the same transaction: see ``level_stock``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, events
from app.foundation.actors import SYSTEM, Actor
from app.foundation.database import LockOrder, any_of, db, insert_new, lock
from app.foundation.terms import current
from app.mall.catalog import actions as catalog
from app.mall.codes.errors import CodeGone, NoPool, NothingFree
from app.mall.codes.events import CodesAdded
from app.mall.codes.models import PoolCode
from app.mall.codes.queries import FREE, UNSEEN, Standing, has_codes, pools_with_ended, register_asked, standing_of
from app.mall.codes.rules import NewCode
from app.mall.codes.terms import CodeTerms

__all__ = [
    "add_codes",
    "hand_out",
    "let_ended_go",
    "level_stock",
    "register_asked",
    "show_code",
    "take_back",
    "withdraw_batch",
    "withdraw_code",
    "withdraw_ended",
    "withdraw_handed",
]

audit.describe(
    "code_pool",
    _l("Code pool"),
    {"codes.add": _l("Codes added"), "codes.withdraw": _l("Codes withdrawn"), "codes.level": _l("Stock levelled")},
)
catalog.tie_to_kind(has_codes)


# --- what an order asks ---------------------------------------------------------------------------


def let_ended_go(*, variant_ids: Collection[int], now: datetime) -> None:
    """Before pieces of these variants are taken for an order: codes that end too soon to be sold leave their pools.

    Since midnight the stock has told of them, and the job comes only once an hour.
    """
    if ended := pools_with_ended(among=variant_ids, now=now):
        catalog.lock_to_take(variant_ids=variant_ids)
        for variant_id in ended:
            withdraw_ended(variant_id=variant_id, now=now)


def hand_out(*, variant_id: int, order_line_id: int, member_id: int, pieces: int, now: datetime) -> int:
    """Give so many free codes of a variant to the owner of a line, or as many as there are. Returns how many.

    The order's row is locked by the caller, so that one line is served by one hand at a time.
    """
    # What another order is just taking is left to it.
    free = _next_free(variant_id, pieces, now=now)
    ids = db.session.scalars(lock(LockOrder.STOCK, free, skip_locked=True)).all()
    db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.id.in_(ids))
        .values(order_line_id=order_line_id, member_id=member_id, handed_at=now)
        .execution_options(synchronize_session=False)
    )
    return len(ids)


def _next_free(variant_id: int, pieces: int, *, now: datetime) -> sa.Select[int]:
    """Those that end first go first: as they lie in the index, so that a full pool is not sorted for each of them."""
    lasts = PoolCode.last_day.is_(None) | (PoolCode.last_day >= _sold_until(now))
    ending = PoolCode.last_day.nulls_last(), PoolCode.id
    return sa.select(PoolCode.id).where(PoolCode.variant_id == variant_id, *FREE, lasts).order_by(*ending).limit(pieces)


def take_back(*, order_line_id: int, pieces: int) -> int:
    """Put so many codes of a line that its owner has not looked at yet back into the pool. Returns how many."""
    unseen = sa.select(PoolCode.id).where(PoolCode.order_line_id == order_line_id, *UNSEEN)
    ids = db.session.scalars(lock(LockOrder.STOCK, unseen.order_by(PoolCode.id).limit(pieces))).all()
    db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.id.in_(ids))
        .values(order_line_id=None, member_id=None, handed_at=None)
        .execution_options(synchronize_session=False)
    )
    return len(ids)


def withdraw_handed(*, order_line_id: int, pieces: int, named: Collection[int] = (), now: datetime) -> None:
    """So many codes of a line did not work: those that were ``named``, by id, then those that its owner looked at last.

    They are never handed out again.
    """
    mine = sa.select(PoolCode.id).where(PoolCode.order_line_id == order_line_id, PoolCode.withdrawn_at.is_(None))
    named_first = sa.case((any_of(PoolCode.id, named), 0), else_=1)
    latest = PoolCode.shown_at.is_(None), PoolCode.shown_at.desc(), PoolCode.id
    ids = db.session.scalars(lock(LockOrder.STOCK, mine.order_by(named_first, *latest).limit(pieces))).all()
    db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.id.in_(ids))
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )


def show_code(*, code_id: int, member_id: int, now: datetime) -> None:
    """Its owner looks at it: from now on it cannot be given back. Again changes nothing. Raises ``CodeGone``."""
    mine = sa.select(PoolCode).where(PoolCode.id == code_id, PoolCode.member_id == member_id)
    code = db.session.scalars(lock(LockOrder.STOCK, mine)).one_or_none()
    if code is None:
        raise CodeGone
    if code.shown_at is None:
        code.shown_at = now
        db.session.flush()


# --- what fills and empties a pool ----------------------------------------------------------------


def add_codes(*, variant_id: int, codes: Sequence[NewCode], batch: str, by: Actor, now: datetime) -> int:
    """Add what the pool does not have yet, nor ever had, and as many pieces to the stock. Returns how many.

    Audited without the codes. Raises ``NoPool``.
    """
    pool = _locked(variant_id)
    common = {"variant_id": variant_id, "batch": batch, "added_at": now, "added_by": by.label}
    rows = [{**common, "code": new.code, "last_day": new.last_day} for new in codes]
    added = len(insert_new(PoolCode, rows, unless=["variant_id", "code"], returning=[PoolCode.id]))
    if added:
        _audit(pool, "codes.add", by=by, now=now, batch=batch, codes=added)
        level_stock(variant_id=variant_id, reason="delivery", reference=batch, by=by, now=now)
        events.publish(CodesAdded(variant_id, now))
    return added


def withdraw_code(*, variant_id: int, code_id: int, reason: str, by: Actor, now: datetime) -> int:
    """Take one free code out for good. Audited. Raises ``NothingFree``."""
    return _withdraw(variant_id, PoolCode.id == code_id, reason=reason, by=by, now=now)


def withdraw_batch(*, variant_id: int, batch: str, reason: str, by: Actor, now: datetime) -> int:
    """Take whatever of a batch is free out for good. Returns how many. Audited. Raises ``NothingFree``."""
    return _withdraw(variant_id, PoolCode.batch == batch, reason=reason, by=by, now=now, batch=batch)


def withdraw_ended(*, variant_id: int, now: datetime) -> int:
    """Take free codes that end too soon to be sold out of a pool. Returns how many."""
    catalog.lock_shelves(variant_ids=[variant_id])
    withdrawn = _take_out(variant_id, PoolCode.last_day < _sold_until(now), now=now)
    level_stock(variant_id=variant_id, by=SYSTEM, now=now)
    return withdrawn


def _withdraw(
    variant_id: int, which: sa.ColumnElement[bool], *, reason: str, by: Actor, now: datetime, **facts: str
) -> int:
    pool = _locked(variant_id)
    withdrawn = _take_out(variant_id, which, now=now)
    if not withdrawn:
        raise NothingFree
    _audit(pool, "codes.withdraw", by=by, now=now, codes=withdrawn, reason=reason, **facts)
    level_stock(variant_id=variant_id, reference=reason, by=by, now=now)
    return withdrawn


def _locked(variant_id: int) -> Standing:
    catalog.lock_shelves(variant_ids=[variant_id])
    standing = standing_of(variant_id)
    if standing is None:
        raise NoPool
    return standing


def _take_out(variant_id: int, which: sa.ColumnElement[bool], *, now: datetime) -> int:
    taken = db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.variant_id == variant_id, *FREE, which)
        .values(withdrawn_at=now)
        .returning(PoolCode.id)
        .execution_options(synchronize_session=False)
    )
    return len(taken.all())


def level_stock(*, variant_id: int, reason: str = "correction", reference: str = "", by: Actor, now: datetime) -> int:
    """Bring the stock in line with the pool: free codes less pieces that are reserved or waiting. Returns the change.

    The caller may have locked the variant; it is locked here, too. Where it is right already nothing is written.
    """
    catalog.lock_shelves(variant_ids=[variant_id])
    standing = standing_of(variant_id)
    change = standing.right - standing.stock if standing else 0
    if change:
        catalog.change_stock(
            variant_id=variant_id, change=change, reason=reason, reference=reference[:80], by=by, now=now
        )
    return change


def _sold_until(now: datetime) -> date:
    return current(CodeTerms).sold_until(clock.local_date(now, clock.programme_zone()))


def _audit(standing: Standing, action: str, *, by: Actor, now: datetime, **facts: object) -> None:
    """How many codes, never which."""
    if by.kind == "staff":
        audit.record(action, subject=("code_pool", standing.sku, standing.sku), by=by, now=now, after=facts)
