"""How many pieces a member may have within a period, and the taking of them from the shelf."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.foundation import clock
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, any_of, db, lock
from app.mall.catalog.errors import LimitReached
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.rules import Limit, period_start
from app.mall.catalog.stock import change_stocks

_ordered, _moved = aliased(StockMovement), aliased(StockMovement)  # Once: to make an alias takes longer than a query.


def take_pieces(*, pieces: Mapping[int, int], number: str, by: Actor, now: datetime) -> None:
    """Take pieces, by variant, for one order, all or none. Raises ``LimitReached`` and ``OutOfStock``.

    Limited products are locked first, then variants, each by id: two orders never wait for each other in a circle.
    """
    for product in _limited_locked(pieces):
        if by.kind == "member" and by.id is not None:  # What staff send once more counts for nobody.
            count = sum(pieces.get(variant.id, 0) for variant in product.variants)
            refuse_beyond_limit(product, member_id=by.id, quantity=count, now=now)
    taken = {variant_id: -count for variant_id, count in pieces.items()}
    change_stocks(changes=taken, reason="order", reference=number, by=by, now=now)


def lock_to_take(*, variant_ids: Collection[int]) -> None:
    """Lock what ``take_pieces`` locks, in its order, for whoever has to look at the shelves before."""
    _limited_locked(variant_ids)
    lock_shelves(variant_ids=variant_ids)


def _limited_locked(variant_ids: Collection[int]) -> Sequence[Product]:
    mine = sa.select(Variant.product_id).where(any_of(Variant.id, variant_ids))
    limited = sa.select(Product).where(Product.id.in_(mine), Product.limit_pieces.is_not(None)).order_by(Product.id)
    return db.session.scalars(lock(LockOrder.STOCK, limited)).all()


def lock_products(*, product_ids: Collection[int]) -> None:
    """Lock products by id, then all their variants by id, as orders do, for whoever changes both."""
    ours = sa.select(Product.id).where(any_of(Product.id, product_ids)).order_by(Product.id)
    db.session.execute(lock(LockOrder.STOCK, ours))
    shelves = sa.select(Variant).where(any_of(Variant.product_id, product_ids)).order_by(Variant.id)
    db.session.scalars(lock(LockOrder.STOCK, shelves)).all()


def lock_shelves(*, variant_ids: Collection[int]) -> None:
    """Lock the stock of variants, by id: before their codes or their times, which everybody locks after them."""
    shelves = sa.select(Variant.id).where(any_of(Variant.id, variant_ids)).order_by(Variant.id)
    db.session.execute(lock(LockOrder.STOCK, shelves))


def refuse_beyond_limit(product: Product, *, member_id: int, quantity: int, now: datetime) -> None:
    limit = product.limit
    if limit is None:
        return
    left = pieces_left(limit, taken(product.id, member_id, limit, now=now))
    if quantity > left:
        raise LimitReached(limit, left)


def limits_left(products: Iterable[Product], *, member_id: int | None, now: datetime) -> dict[int, int]:
    """Product id → how many more pieces a member may have now, for those that are limited: one query for all."""
    limited = {product.id: product.limit for product in products if product.limit is not None}
    if not limited or member_id is None:
        return {}
    counts = [taken_by(product_id, member_id, limit, now=now) for product_id, limit in limited.items()]
    had = db.session.execute(sa.select(*counts)).one()
    return {
        product_id: pieces_left(limit, count or 0)
        for (product_id, limit), count in zip(limited.items(), had, strict=True)
    }


def pieces_left(limit: Limit, taken: int) -> int:
    return max(0, limit.pieces - taken)


def taken(product_id: int, member_id: int, limit: Limit, *, now: datetime) -> int:
    """The pieces that a member ordered in the limit's present period, less what went back of these orders."""
    return db.session.scalar(sa.select(taken_by(product_id, member_id, limit, now=now))) or 0


def taken_by(product_id: int, member_id: int, limit: Limit, *, now: datetime) -> sa.ScalarSelect[int]:
    """The same as part of another query."""
    zone = clock.programme_zone()
    since = clock.start_of(period_start(limit.period, clock.local_date(now, zone)), zone)
    return (
        sa.select(-sa.func.coalesce(sa.func.sum(_moved.change), 0))
        .select_from(_ordered)
        .join(Variant, Variant.id == _ordered.variant_id)
        .join(_moved, sa.and_(_moved.reference == _ordered.reference, _moved.variant_id == _ordered.variant_id))
        .where(
            _ordered.member_id == member_id,
            _ordered.reason == "order",
            _ordered.at >= since,
            Variant.product_id == product_id,
        )
        .scalar_subquery()
    )
