"""Reads of the back office: the products that a member of staff may see, on offer or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.listing import Part, part_of
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.queries import IN_STOCK, whole
from app.mall.catalog.search import matching

Scope = Collection[int] | None  # Ids of units; None means every unit.


def _within(units: Scope) -> list[sa.ColumnElement[bool]]:
    return [] if units is None else [Product.unit_id.in_(units)]


def product_of_units(units: Scope, slug: str) -> Product | None:
    """A product, on offer or not."""
    query = sa.select(Product).where(Product.slug == slug, *_within(units)).options(*whole())
    return db.session.scalars(query).one_or_none()


def products_of_units(
    units: Scope,
    *,
    search: str = "",
    status: str = "",
    unit_id: int | None = None,
    category_id: int | None = None,
    sold_out: bool = False,
    after: str | None = None,
    limit: int,
) -> Part[Product]:
    """Newest first; with ``sold_out`` only those listed without stock."""
    statement = sa.select(Product).where(*_within(units)).options(*whole())
    if search:
        statement = statement.where(*matching(search).conditions)
    wanted = {Product.status: status or None, Product.unit_id: unit_id, Product.category_id: category_id}
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(column == value)
    if sold_out:
        statement = statement.where(*_listed_without_stock())
    return part_of(statement, keys=[Product.id], after=after, limit=limit)


def _listed_without_stock() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return Product.status == "listed", ~sa.exists().where(*IN_STOCK)


def how_many_sold_out(units: Scope) -> int:
    """How many listed products members find sold out."""
    statement = sa.select(sa.func.count()).select_from(Product).where(*_within(units), *_listed_without_stock())
    return db.session.scalar(statement) or 0


def movements(product: Product, *, limit: int = 20) -> Sequence[sa.Row[StockMovement, str]]:
    """The latest stock movements of a product with the SKU, newest first."""
    statement = (
        sa.select(StockMovement, Variant.sku)
        .join(Variant, Variant.id == StockMovement.variant_id)
        .where(Variant.product_id == product.id)
        .order_by(StockMovement.id.desc())
        .limit(limit)
    )
    return db.session.execute(statement).all()
