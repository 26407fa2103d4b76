"""The mall's shelves: what members and visitors look through, two queries for a page of cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, defer

from app.foundation.database import any_of, db
from app.foundation.listing import Part, part_of
from app.foundation.money import Money
from app.foundation.points import Points
from app.mall.catalog.models import Category, Picture, Price, Product, RecentlySeen, Variant, Wish
from app.mall.catalog.queries import IN_STOCK, in_the_mall, still_in_the_mall
from app.mall.catalog.rules import Way
from app.mall.catalog.search import Found, matching

# What a list can be sorted by: its keys, and whether the greatest stands first.
ORDERS: dict[str, tuple[list[InstrumentedAttribute], bool]] = {
    "newest": ([Product.listed_at, Product.id], True),
    "popular": ([Product.popularity, Product.id], True),
    "points": ([Product.points_from, Product.id], False),
    "price": ([Product.price_from, Product.id], False),
    "price-down": ([Product.price_from, Product.id], True),
}
WAYS: dict[str, tuple[sa.ColumnElement[bool], ...]] = {
    "points": (Price.cash == 0,),
    "mix": (Price.points > 0, Price.cash > 0),
    "money": (Price.points == 0,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """``affordable`` keeps what is in stock and asks for no more than these points, but for some, in one of its ways.

    ``least`` and ``most`` are minor units of what it costs in money, or is worth. Empty filters keep everything.
    """

    category: str = ""
    search: str = ""
    affordable: Points | None = None
    paying: str = ""
    unit_id: int | None = None
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A product with what a card needs of what hangs on it."""

    product: Product
    ways: list[Way] = field(default_factory=list)
    stock: int = 0
    picture: str | None = None
    wished: bool = False


def listed(
    wanted: Wanted,
    *,
    order: str = "newest",
    after: str | None = None,
    limit: int,
    member_id: int | None = None,
    now: datetime,
) -> Part[Shown]:
    """Products that are in the mall now; ``member_id`` is whose wishes count. ``order`` is one of ``ORDERS``."""
    keys, greatest_first = ORDERS[order]
    found = matching(wanted.search) if wanted.search else Found([], named=False)
    there = still_in_the_mall(now) if found.named else in_the_mall(now)
    statement = sa.select(Product).where(*there, *found.conditions, *_conditions(wanted)).options(*_LIGHT)
    part = part_of(statement, keys=keys, after=after, limit=limit, newest_first=greatest_first)
    return Part(_with_hangings(part.items, member_id), part.after)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.category:
        conditions.append(
            Product.category_id == sa.select(Category.id).where(Category.code == wanted.category).scalar_subquery()
        )
    if wanted.affordable is not None:
        conditions += [Product.points_from <= int(wanted.affordable), sa.exists().where(*IN_STOCK)]
    if wanted.paying in WAYS:
        conditions.append(sa.exists().where(Price.product_id == Product.id, *WAYS[wanted.paying]))
    if wanted.unit_id is not None:
        conditions.append(Product.unit_id == wanted.unit_id)
    if wanted.least is not None:
        conditions.append(Product.price_from >= wanted.least)
    if wanted.most is not None:
        conditions.append(Product.price_from <= wanted.most)
    return conditions


def wishes_of(member_id: int, *, after: str | None = None, limit: int) -> Part[Shown]:
    """What a member wished for, the latest wish first, whether it can still be had or not."""
    statement = sa.select(Wish).where(Wish.member_id == member_id)
    part = part_of(statement, keys=[Wish.at, Wish.product_id], after=after, limit=limit)
    ids = [wish.product_id for wish in part.items]
    found = {each.id: each for each in db.session.scalars(sa.select(Product).where(_among(ids)).options(*_LIGHT))}
    return Part(_with_hangings([found[each] for each in ids], member_id), part.after)


def wishes_in_all(member_id: int) -> int:
    return db.session.scalar(sa.select(sa.func.count()).where(Wish.member_id == member_id)) or 0


_LIGHT = (defer(Product.description), defer(Product.search_text))
_FIRST_PICTURE = (
    sa.select(Picture.file).where(Picture.product_id == Price.product_id).order_by(Picture.rank, Picture.id).limit(1)
).scalar_subquery()
_STOCK = (
    sa.select(sa.func.coalesce(sa.func.sum(Variant.stock), 0))
    .where(Variant.product_id == Price.product_id, Variant.active)
    .scalar_subquery()
)


def _among(ids: Sequence[int]) -> sa.ColumnElement[bool]:
    return any_of(Product.id, ids)


def _with_hangings(products: Sequence[Product], member_id: int | None) -> list[Shown]:
    """One query: each product has at least one price."""
    if not products:
        return []
    wished = sa.exists().where(Wish.member_id == member_id, Wish.product_id == Price.product_id)
    query = (
        sa.select(Price.product_id, Price.points, Price.cash, _STOCK, _FIRST_PICTURE, wished)
        .where(any_of(Price.product_id, [product.id for product in products]))
        .order_by(Price.cash, Price.points)
    )
    shown = {product.id: Shown(product) for product in products}
    for product_id, points, cash, stock, picture, is_wished in db.session.execute(query):
        product, ways = shown[product_id].product, shown[product_id].ways
        ways.append(Way(Points(points), Money(cash, product.currency)))
        shown[product_id] = Shown(product, ways, stock, picture, is_wished)
    return list(shown.values())


# --- recently seen -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A product that a member looked at, as far as a strip of pictures needs it."""

    id: int
    slug: str
    name: dict[str, str]
    picture: str | None


def recently_seen(member_id: int, *, limit: int, now: datetime) -> list[Glimpse]:
    """What a member looked at last and can look at again, by one query."""
    picture = (
        sa.select(Picture.file).where(Picture.product_id == Product.id).order_by(Picture.rank, Picture.id).limit(1)
    ).scalar_subquery()
    query = (
        sa.select(Product.id, Product.slug, Product.name, picture)
        .join(RecentlySeen, RecentlySeen.product_id == Product.id)
        .where(RecentlySeen.member_id == member_id, *still_in_the_mall(now))
        .order_by(RecentlySeen.at.desc(), Product.id.desc())
        .limit(limit)
    )
    return [Glimpse(*row) for row in db.session.execute(query)]
