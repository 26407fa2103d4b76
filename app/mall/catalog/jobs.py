"""What the worker counts and keeps in order for the shelves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from app.foundation.database import any_of, db, transaction
from app.foundation.jobs import periodic
from app.mall.catalog.editing import reindex
from app.mall.catalog.models import Product, ProductWord, StockMovement, Variant

POPULAR_OVER = timedelta(days=30)
BATCH = 500


@periodic("count-popularity", minute="23")
def count_popularity(*, now: datetime) -> int:
    """How many pieces of each product went in the last month, for sorting. Returns how many products changed place."""
    sold, known = _sold_since(now - POPULAR_OVER), _popularity()
    differing = {key for key in sold.keys() | known.keys() if sold.get(key) != known.get(key)}
    changed = [(key, sold.get(key, 0)) for key in sorted(differing)]
    rest = iter(changed)
    while batch := list(islice(rest, BATCH)):
        with transaction() as session:
            session.execute(sa.update(Product), [{"id": key, "popularity": pieces} for key, pieces in batch])
    return len(changed)


def _sold_since(moment: datetime) -> dict[int, int]:
    pieces = -sa.func.sum(StockMovement.change)
    query = (
        sa.select(Variant.product_id, pieces)
        .join(Variant, Variant.id == StockMovement.variant_id)
        .where(StockMovement.reason.in_(("order", "release")), StockMovement.at >= moment)
        .group_by(Variant.product_id)
        .having(pieces > 0)  # What only came back went earlier.
    )
    return {product_id: int(number) for product_id, number in db.session.execute(query)}


def _popularity() -> dict[int, int]:
    query = sa.select(Product.id, Product.popularity).where(Product.popularity != 0)
    return dict(db.session.execute(query).all())


@periodic("index-products", minute="*/10")
def index_products(*, now: datetime) -> int:
    """Let products be found that nobody has saved since there are words to search by. Returns how many."""
    done = 0
    for ids in _without_words():
        with transaction() as session:
            products = sa.select(Product).where(any_of(Product.id, ids)).options(selectinload(Product.variants))
            for product in session.scalars(products):
                reindex(product)
        done += len(ids)
    return done


def _without_words() -> Iterator[Sequence[int]]:
    """By id, so that what has no words at all is met once."""
    last = 0
    lost = sa.select(Product.id).where(~sa.exists().where(ProductWord.product_id == Product.id))
    while ids := db.session.scalars(lost.where(Product.id > last).order_by(Product.id).limit(BATCH)).all():
        yield ids
        last = ids[-1]
