"""Reads of the back office: the products that a member of staff may see, on offer or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.foundation.listing import Part, part_of
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.queries import IN_STOCK, whole
from app.mall.catalog.search import matching

Scope = Collection[int] | None  # Ids of units; None means every unit.


def within(units: Scope) -> list[sa.ColumnElement[bool]]:
    """The condition on products."""
    return [] if units is None else [Product.unit_id.in_(units)]


def product_of_units(units: Scope, slug: str) -> Product | None:
    """A product, on offer or not."""
    query = sa.select(Product).where(Product.slug == slug, *within(units)).options(*whole())
    return db.session.scalars(query).one_or_none()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; empty ones keep everything. With ``sold_out`` only what is listed without stock."""

    search: str = ""
    status: str = ""
    unit_id: int | None = None
    category_id: int | None = None
    sold_out: bool = False


def _found(units: Scope, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = within(units)
    if wanted.search:
        conditions += matching(wanted.search).conditions
    exact = {
        Product.status: wanted.status or None,
        Product.unit_id: wanted.unit_id,
        Product.category_id: wanted.category_id,
    }
    conditions += [column == value for column, value in exact.items() if value is not None]
    return [*conditions, *(_listed_without_stock() if wanted.sold_out else ())]


def products_of_units(units: Scope, wanted: Wanted, *, after: str | None = None, limit: int) -> Part[Product]:
    """Newest first."""
    statement = sa.select(Product).where(*_found(units, wanted)).options(*whole())
    return part_of(statement, keys=[Product.id], after=after, limit=limit)


def all_products(units: Scope, wanted: Wanted, *, at_once: int = 500) -> Iterator[Product]:
    """Newest first, a part at a time: never more than ``at_once`` of them in memory."""
    part = products_of_units(units, wanted, limit=at_once)
    yield from part.items
    while part.after:
        part = products_of_units(units, wanted, after=part.after, limit=at_once)
        yield from part.items


def how_many_products(units: Scope, wanted: Wanted) -> int:
    statement = sa.select(sa.func.count()).select_from(Product).where(*_found(units, wanted))
    return db.session.scalar(statement) or 0


def products_named(units: Scope, slugs: Collection[str]) -> Sequence[Product]:
    """Those of these products that may be seen, the newest first."""
    query = sa.select(Product).where(any_of(Product.slug, slugs), *within(units)).options(*whole())
    return db.session.scalars(query.order_by(Product.id.desc())).all()


def _listed_without_stock() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return Product.status == "listed", ~sa.exists().where(*IN_STOCK)


def how_many_sold_out(units: Scope) -> int:
    """How many listed products members find sold out."""
    statement = sa.select(sa.func.count()).select_from(Product).where(*within(units), *_listed_without_stock())
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
