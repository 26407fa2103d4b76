"""Reads of the catalogue. Lists load what hangs on a product in one query per kind, never one per product."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.foundation.database import db, fetch
from app.foundation.listing import Part, part_of
from app.foundation.money import Money
from app.foundation.points import Points
from app.foundation.terms import current
from app.mall.catalog.models import Category, Picture, Price, Product, StockMovement, Variant
from app.mall.catalog.rules import Way, search_words
from app.mall.catalog.terms import CatalogTerms

Order = Literal["newest", "points"]
Scope = Collection[int] | None  # Ids of units; None means every unit.
_IN_STOCK = Variant.product_id == Product.id, Variant.active, Variant.stock > 0


# --- the mall -----------------------------------------------------------------------------


def listed(
    *,
    category: str | None = None,
    search: str = "",
    affordable: Points | None = None,
    order: Order = "newest",
    after: str | None = None,
    limit: int,
) -> Part[Product]:
    """Products on offer, the newest first or those that ask for the fewest points.

    ``affordable`` keeps what is in stock and asks for no more than these points in one of its ways to pay.
    """
    statement = sa.select(Product).where(Product.status == "listed", *_matches(search)).options(*_for_cards())
    if category:
        statement = statement.join(Category, Category.id == Product.category_id).where(Category.code == category)
    if affordable is not None:
        within = sa.exists().where(Price.product_id == Product.id, Price.points <= int(affordable))
        in_stock = sa.exists().where(*_IN_STOCK)
        statement = statement.where(within, in_stock)
    if order == "points":
        return _by_points(statement, after, limit)
    return part_of(statement, keys=[Product.id], after=after, limit=limit)


def _for_cards() -> tuple[ORMOption, ...]:
    return selectinload(Product.variants), selectinload(Product.pictures), selectinload(Product.prices)


def _matches(search: str) -> list[sa.ColumnElement[bool]]:
    return [Product.search_text.contains(word, autoescape=True) for word in search_words(search)]


def _by_points(statement: sa.Select[Product], after: str | None, limit: int) -> Part[Product]:
    """By the fewest points that one of the ways asks for; then by id, so that the order is a total one.

    The price is no column of the product, so ``after`` is the id of the last product seen.
    """
    fewest = sa.select(sa.func.min(Price.points)).where(Price.product_id == Product.id).scalar_subquery()
    if after and re.fullmatch(r"[0-9]{1,15}", after):
        last = sa.select(sa.func.min(Price.points)).where(Price.product_id == int(after)).scalar_subquery()
        statement = statement.where(sa.or_(fewest > last, sa.and_(fewest == last, Product.id < int(after))))
    found = db.session.scalars(statement.order_by(fewest, Product.id.desc()).limit(limit + 1)).all()
    return Part(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class Pick:
    """A product that points alone can buy, as far as a card needs it."""

    id: int
    slug: str
    name: Mapping[str, str]
    points: Points
    picture: str | None


def within_reach(available: Points, *, limit: int) -> list[Pick]:
    """In-stock products for points alone, by one query: what ``available`` buys, the best first; then the nearest."""
    rows = fetch(_WITHIN_REACH, {"budget": int(available), "limit": limit})
    return [Pick(id_, slug, name, Points(points), file) for id_, slug, name, points, file in rows]


_BUDGET = sa.bindparam("budget", type_=sa.BigInteger)
_POINTS_ONLY = (
    sa.select(Price.product_id, sa.func.min(Price.points).label("points"))
    .where(Price.cash == 0)
    .group_by(Price.product_id)
    .subquery()
)
_FIRST_PICTURE = (
    sa.select(Picture.file).where(Picture.product_id == Product.id).order_by(Picture.rank, Picture.id).limit(1)
).scalar_subquery()
_WITHIN_REACH = (
    sa.select(Product.id, Product.slug, Product.name, _POINTS_ONLY.c.points, _FIRST_PICTURE)
    .join(_POINTS_ONLY, _POINTS_ONLY.c.product_id == Product.id)
    .where(Product.status == "listed", sa.exists().where(*_IN_STOCK))
    .order_by(
        sa.case((_POINTS_ONLY.c.points <= _BUDGET, 0), else_=1),
        sa.func.abs(_POINTS_ONLY.c.points - _BUDGET),
        Product.id,
    )
    .limit(sa.bindparam("limit", type_=sa.Integer))
)


_CATEGORIES = sa.select(Category).order_by(Category.rank, Category.id)
_CATEGORIES_ON_OFFER = _CATEGORIES.where(
    sa.exists().where(Product.category_id == Category.id, Product.status == "listed")
)


def categories_on_offer() -> Sequence[Category]:
    """Categories with at least one listed product, in their order."""
    return db.session.scalars(_CATEGORIES_ON_OFFER).all()


def product_by_slug(slug: str) -> Product | None:
    """A product on offer, with everything that hangs on it."""
    return db.session.scalars(_ON_OFFER, {"slug": slug}).one_or_none()


_WHOLE = sa.select(Product).where(Product.slug == sa.bindparam("slug")).options(*_for_cards())
_ON_OFFER = _WHOLE.where(Product.status == "listed")


def most_pieces() -> int:
    """How many pieces of one article an order may hold."""
    return current(CatalogTerms).most_pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an order needs to know of one variant that is on offer now. ``ways`` are by price id."""

    variant_id: int
    sku: str
    variant_name: Mapping[str, str]
    stock: int
    product_id: int
    slug: str
    name: Mapping[str, str]
    kind: str
    category: str
    unit_id: int
    currency: str
    picture: str | None
    ways: Mapping[int, Way]


def variant_for_order(variant_id: int) -> Offer | None:
    """The offer behind a variant, or ``None`` when it is not on sale (any more). Stock may be zero."""
    statement = (
        sa.select(Variant, Product, Category.code)
        .join(Product, Product.id == Variant.product_id)
        .join(Category, Category.id == Product.category_id)
        .where(Variant.id == variant_id, Variant.active, Product.status == "listed")
        .options(selectinload(Product.pictures), selectinload(Product.prices))
        .execution_options(populate_existing=True)
    )
    row = db.session.execute(statement).one_or_none()
    if row is None:
        return None
    variant, product, category = row
    return Offer(
        variant_id=variant.id,
        sku=variant.sku,
        variant_name=variant.name,
        stock=variant.stock,
        product_id=product.id,
        slug=product.slug,
        name=product.name,
        kind=product.kind,
        category=category,
        unit_id=product.unit_id,
        currency=product.currency,
        picture=product.pictures[0].file if product.pictures else None,
        ways=ways_of(product),
    )


def ways_of(product: Product) -> dict[int, Way]:
    """Price id → way to pay; the one with the least cash first."""
    return {price.id: Way(Points(price.points), Money(price.cash, product.currency)) for price in product.prices}


# --- the back office ------------------------------------------------------------------------


def _within(units: Scope) -> list[sa.ColumnElement[bool]]:
    return [] if units is None else [Product.unit_id.in_(units)]


def product_of_units(units: Scope, slug: str) -> Product | None:
    """A product, on offer or not, that a member of staff may see."""
    return db.session.scalars(_WHOLE.where(*_within(units)), {"slug": slug}).one_or_none()


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
    """The products that a member of staff may see, newest first; with ``sold_out`` only those listed without stock."""
    statement = sa.select(Product).where(*_within(units), *_matches(search)).options(*_for_cards())
    wanted = {Product.status: status or None, Product.unit_id: unit_id, Product.category_id: category_id}
    for column, value in wanted.items():
        if value is not None:
            statement = statement.where(column == value)
    if sold_out:
        statement = statement.where(*_listed_without_stock())
    return part_of(statement, keys=[Product.id], after=after, limit=limit)


def _listed_without_stock() -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return Product.status == "listed", ~sa.exists().where(*_IN_STOCK)


def how_many_sold_out(units: Scope) -> int:
    """How many listed products members find sold out."""
    statement = sa.select(sa.func.count()).select_from(Product).where(*_within(units), *_listed_without_stock())
    return db.session.scalar(statement) or 0


def all_categories() -> Sequence[Category]:
    return db.session.scalars(_CATEGORIES).all()


def category_by_code(code: str) -> Category | None:
    return db.session.scalars(sa.select(Category).where(Category.code == code)).one_or_none()


def taken_skus(skus: Collection[str], *, but_of: int | None = None) -> set[str]:
    """Which of ``skus`` belong to another product than ``but_of``."""
    statement = sa.select(Variant.sku).where(Variant.sku.in_(skus))
    if but_of is not None:
        statement = statement.where(Variant.product_id != but_of)
    return set(db.session.scalars(statement))


def slug_taken(slug: str) -> bool:
    return db.session.scalar(sa.select(sa.exists().where(Product.slug == slug))) is True


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
