"""Reads of code pools."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.mall.codes.models import PoolCode


def unseen(order_line_ids: Collection[int]) -> dict[int, int]:
    """How many codes of these lines their owner has not looked at yet, by line: those can still be given back."""
    query = sa.select(PoolCode.order_line_id, sa.func.count()).where(
        any_of(PoolCode.order_line_id, order_line_ids), PoolCode.shown_at.is_(None)
    )
    return dict(db.session.execute(query.group_by(PoolCode.order_line_id)).all())
