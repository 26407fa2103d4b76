"""Verbs of code pools. Locks: the variant first (stock), then its codes."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.foundation.database import LockOrder, db, lock
from app.mall.codes.models import PoolCode

_FREE = PoolCode.order_line_id.is_(None), PoolCode.withdrawn_at.is_(None)


def hand_out(*, variant_id: int, order_line_id: int, member_id: int, pieces: int, now: datetime) -> int:
    """Give so many free codes of a variant to the owner of a line, or as many as there are. Returns how many.

    The order's row is locked by the caller, so that one line is served by one hand at a time.
    """
    # Those that end first go first. What another order is just taking is left to it.
    ending = PoolCode.last_day.is_(None), PoolCode.last_day, PoolCode.id
    free = sa.select(PoolCode.id).where(PoolCode.variant_id == variant_id, *_FREE).order_by(*ending).limit(pieces)
    ids = db.session.scalars(lock(LockOrder.STOCK, free, skip_locked=True)).all()
    db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.id.in_(ids))
        .values(order_line_id=order_line_id, member_id=member_id, handed_at=now)
        .execution_options(synchronize_session=False)
    )
    return len(ids)


def take_back(*, order_line_id: int, pieces: int) -> int:
    """Put so many codes of a line that its owner has not looked at yet back into the pool. Returns how many."""
    unseen = sa.select(PoolCode.id).where(PoolCode.order_line_id == order_line_id, PoolCode.shown_at.is_(None))
    ids = db.session.scalars(lock(LockOrder.STOCK, unseen.order_by(PoolCode.id).limit(pieces))).all()
    db.session.execute(
        sa.update(PoolCode)
        .where(PoolCode.id.in_(ids))
        .values(order_line_id=None, member_id=None, handed_at=None)
        .execution_options(synchronize_session=False)
    )
    return len(ids)
