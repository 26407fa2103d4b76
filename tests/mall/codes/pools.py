"""Short ways to fill pools and to look at them."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.mall.catalog.models import StockMovement
from app.mall.codes import actions, queries
from app.mall.codes.models import PoolCode
from app.mall.codes.rules import NewCode
from tests.conftest import NOON
from tests.mall.orders.shop import Goods

MEI = Actor("staff", 7, "Mei Zhao")


def add(goods: Goods, *codes: str, last_day: date | None = None, batch: str = "May", now: datetime = NOON) -> int:
    new = [NewCode(line, code, last_day) for line, code in enumerate(codes, start=1)]
    with transaction():
        return actions.add_codes(variant_id=goods.variant_id, codes=new, batch=batch, by=MEI, now=now)


def withdraw(goods: Goods, batch: str, *, reason: str = "Cancelled by the partner", now: datetime = NOON) -> int:
    with transaction():
        return actions.withdraw_batch(variant_id=goods.variant_id, batch=batch, reason=reason, by=MEI, now=now)


def show(code: PoolCode, member_id: int, *, now: datetime = NOON) -> None:
    with transaction():
        actions.show_code(code_id=code.id, member_id=member_id, now=now)


def owned(member_id: int) -> list[PoolCode]:
    """The first one first."""
    db.session.rollback()
    mine = sa.select(PoolCode).where(PoolCode.member_id == member_id).order_by(PoolCode.id)
    return list(db.session.scalars(mine.execution_options(populate_existing=True)))


def figures(goods: Goods) -> tuple[int, int, int]:
    """(stock, free codes, pieces that are asked for)"""
    db.session.rollback()
    standing = queries.standing_of(goods.variant_id)
    assert standing is not None
    return standing.stock, standing.free, standing.asked


def movements(goods: Goods) -> list[tuple[int, str]]:
    query = sa.select(StockMovement.change, StockMovement.reason).where(StockMovement.variant_id == goods.variant_id)
    return [tuple(row) for row in db.session.execute(query.order_by(StockMovement.id))]
