"""Reads of the catalogue that others ask for: offers, picks, one product, categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from app.config import LOCALES
from app.foundation.database import UTCDateTime, among, any_of, db, fetch
from app.foundation.errors import DomainError
from app.foundation.money import Money
from app.foundation.points import Points
from app.foundation.terms import current
from app.mall.catalog.access import access, tiers_named
from app.mall.catalog.errors import HadAlready, LimitReached, OneIsEnough
from app.mall.catalog.grants import has_got, is_single
from app.mall.catalog.limits import limits_left, taken_by
from app.mall.catalog.models import Brand, Category, Picture, Price, Product, RecentlySeen, Variant, Wish
from app.mall.catalog.perks import Perks, perks_of
from app.mall.catalog.rules import Way, member_price
from app.mall.catalog.terms import CatalogTerms
from app.mall.payments.queries import least_cash

IN_STOCK = Variant.product_id == Product.id, Variant.active, Variant.stock > sa.literal_column("0")


def in_the_mall(now: datetime | sa.BindParameter[datetime]) -> tuple[sa.ColumnElement[bool], ...]:
    """What members see: listed, from the moment on for which it was scheduled, until its sale is over."""
    # Not as a plain comparison: SQLite would use it to choose an index, and sort what it found.
    moment = now if isinstance(now, sa.BindParameter) else sa.literal(now, UTCDateTime())
    listed = sa.func.coalesce(Product.listed_at, moment) <= moment
    return Product.status == "listed", listed, sa.or_(Product.on_sale_until.is_(None), Product.on_sale_until > moment)


def still_in_the_mall(now: datetime | sa.BindParameter[datetime]) -> tuple[sa.ColumnElement[bool], ...]:
    """The same of few products that are found by other means: no index is to be tempted by their status."""
    _status, *others = in_the_mall(now)
    return Product.status.concat("") == "listed", *others


def whole() -> tuple[ORMOption, ...]:
    """Everything that hangs on a product, by as many queries whatever the number of products."""
    return selectinload(Product.variants), selectinload(Product.pictures), selectinload(Product.prices)


# --- suggestions --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pick:
    """A product that points alone can buy, as far as a card needs it."""

    id: int
    slug: str
    name: Mapping[str, str]
    points: Points
    picture: str | None


def within_reach(available: Points, *, limit: int, now: datetime) -> list[Pick]:
    """In-stock products for points alone, by one query: what ``available`` buys, the best first; then the nearest.

    What can be had by everybody: nothing that only some tiers may have, or only later.
    """
    rows = fetch(_WITHIN_REACH, {"budget": int(available), "limit": limit, "now": now})
    return [Pick(id_, slug, name, Points(points), file) for id_, slug, name, points, file in rows]


_NOW = sa.bindparam("now", type_=UTCDateTime())
_BUDGET = sa.bindparam("budget", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_cheaper = aliased(Price)
_POINTS_ALONE = Price.cash == sa.literal_column("0")  # Written out: it names the index.
_FIRST_PICTURE = (
    sa.select(Picture.file).where(Picture.product_id == Product.id).order_by(Picture.rank, Picture.id).limit(1)
).scalar_subquery()
_FOR_POINTS = (
    sa.select(Product.id, Product.slug, Product.name, Price.points, _FIRST_PICTURE)
    .select_from(Price)
    .join(Product, Product.id == Price.product_id)
    .where(
        _POINTS_ALONE,
        ~sa.exists().where(
            _cheaper.product_id == Price.product_id,
            _cheaper.cash == sa.literal_column("0"),
            _cheaper.points < Price.points,
        ),
        *still_in_the_mall(_NOW),
        sa.or_(Product.on_sale_from.is_(None), Product.on_sale_from <= _NOW),
        Product.tier_id.is_(None),
        sa.exists().where(*IN_STOCK),
    )
)
# Downwards and upwards from the budget by the index: few prices are looked at, however many there are.
_NEAR = sa.union_all(
    *(
        sa.select(half.subquery())
        for half in (
            _FOR_POINTS.where(Price.points <= _BUDGET).order_by(Price.points.desc(), Product.id).limit(_LIMIT),
            _FOR_POINTS.where(Price.points > _BUDGET).order_by(Price.points, Product.id).limit(_LIMIT),
        )
    )
).subquery()
_WITHIN_REACH = (
    sa.select(_NEAR)
    .order_by(sa.case((_NEAR.c.points <= _BUDGET, 0), else_=1), sa.func.abs(_NEAR.c.points - _BUDGET), _NEAR.c.id)
    .limit(_LIMIT)
)


# --- categories and single products -----------------------------------------------------------

_CATEGORIES = sa.select(Category).order_by(Category.rank, Category.id)


def all_categories() -> Sequence[Category]:
    return db.session.scalars(_CATEGORIES).all()


def categories_on_offer(now: datetime) -> Sequence[Category]:
    """Categories with at least one product in the mall, in their order."""
    return db.session.scalars(
        _CATEGORIES.where(sa.exists().where(Product.category_id == Category.id, *in_the_mall(now)))
    ).all()


def category_by_code(code: str) -> Category | None:
    return db.session.scalars(sa.select(Category).where(Category.code == code)).one_or_none()


def all_brands() -> Sequence[Brand]:
    return db.session.scalars(sa.select(Brand).order_by(Brand.code)).all()


def brand_by_code(code: str) -> Brand | None:
    return db.session.scalars(sa.select(Brand).where(Brand.code == code)).one_or_none()


def product_by_slug(slug: str, *, now: datetime) -> Product | None:
    """A listed product, with everything that hangs on it, even when its sale is over: wishes and links lead there."""
    there = on_display(slug, now=now)
    return there[0] if there else None


def on_display(slug: str, *, now: datetime) -> tuple[Product, Category, Brand | None] | None:
    """The same with the shelf that it stands on, and its brand."""
    query = (
        sa.select(Product, Category, Brand)
        .join(Category, Category.id == Product.category_id)
        .outerjoin(Brand, Brand.id == Product.brand_id)
        .where(Product.slug == slug, Product.status == "listed", Product.listed_at <= now)
        .options(joinedload(Product.prices), joinedload(Product.pictures), selectinload(Product.variants))
    )
    row = db.session.execute(query).unique().one_or_none()
    return (row[0], row[1], row[2]) if row else None


def id_of_slug(slug: str, *, now: datetime) -> int | None:
    """The id of a product that members can see."""
    query = sa.select(Product.id).where(Product.slug == slug, Product.status == "listed", Product.listed_at <= now)
    return db.session.scalar(query)


def id_of_wish(member_id: int, slug: str) -> int | None:
    """The id of a product that a member wished for, in the mall or not."""
    wished = sa.select(Product.id).join(Wish, Wish.product_id == Product.id)
    return db.session.scalar(wished.where(Wish.member_id == member_id, Product.slug == slug))


@dataclass(frozen=True, slots=True)
class Tie:
    """What a member has to do with a product. ``seen`` other products are remembered; ``last`` is the one before."""

    wished: bool = False
    taken: int = 0
    seen: int = 0
    last: int | None = None


def tie(product: Product, member_id: int | None, *, now: datetime) -> Tie:
    """One query; none for a visitor."""
    if member_id is None:
        return Tie()
    seen = RecentlySeen.member_id == member_id
    latest = sa.select(RecentlySeen.product_id).where(seen).order_by(RecentlySeen.at.desc()).limit(1)
    row = db.session.execute(
        sa.select(
            sa.exists().where(Wish.member_id == member_id, Wish.product_id == product.id),
            taken_by(product.id, member_id, product.limit, now=now) if product.limit else sa.literal(0),
            sa.select(sa.func.count()).select_from(RecentlySeen).where(seen).scalar_subquery(),
            latest.scalar_subquery(),
        )
    ).one()
    return Tie(*row)


# --- what an order is told --------------------------------------------------------------------


def most_pieces() -> int:
    """How many pieces of one article an order may hold."""
    return current(CatalogTerms).most_pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What an order needs to know of one variant that is on offer now.

    ``ways`` are by price id, at the member price; ``ordinary`` what everybody else pays.
    """

    variant_id: int
    sku: str
    variant_name: Mapping[str, str]
    stock: int
    product_id: int
    slug: str
    name: Mapping[str, str]
    kind: str
    grants: str
    category: str
    unit_id: int
    currency: str
    picture: str | None
    ways: Mapping[int, Way]
    ordinary: Mapping[int, Way]


def offer_for(variant_id: int, *, member_id: int, quantity: int = 1, now: datetime) -> Offer | None:
    """What a variant costs this member now; ``None`` when it is not in the mall (any more). Stock may be zero.

    Raises ``NotOnSaleYet``, ``SaleOver``, ``OnlyFromTier``, ``LimitReached``, ``HadAlready`` or ``OneIsEnough``.
    """
    offer = offers_for({variant_id: quantity}, member_id=member_id, now=now).get(variant_id)
    if isinstance(offer, DomainError):
        raise offer
    return offer


_OFFERED = (
    sa.select(Variant, Product, Category.code, _FIRST_PICTURE)
    .join(Product, Product.id == Variant.product_id)
    .join(Category, Category.id == Product.category_id)
    .where(among(Variant.id, "variants"), Variant.active, Product.status == "listed", Product.listed_at <= _NOW)
    .options(joinedload(Product.prices))
    .execution_options(populate_existing=True)
)


def offers_for(
    quantities: Mapping[int, int], *, member_id: int | None, perks: Perks | None = None, now: datetime
) -> dict[int, Offer | DomainError]:
    """The same for many variants: an offer, or the reason why this member cannot have so many pieces now.

    What is not in the mall is left out. A handful of queries, however many variants; ``None`` is a visitor.
    ``perks`` are the member's, where the caller knows them already.
    """
    rows = db.session.execute(_OFFERED, {"variants": list(quantities), "now": now}).unique().all()
    if not rows:
        return {}
    perks, tiers = perks or perks_of(member_id, now=now), tiers_named([row[1] for row in rows])
    left = limits_left({row[1] for row in rows}, member_id=member_id, now=now)
    together: dict[int, int] = {}
    granted: Counter[tuple[str, str]] = Counter()
    for variant, product, *_others in rows:
        together[product.id] = together.get(product.id, 0) + quantities[variant.id]
        granted[product.kind, product.grants] += quantities[variant.id]
    found: dict[int, Offer | DomainError] = {}
    for variant, product, category, picture in rows:
        try:
            access(product, perks, tiers, now=now).refuse()
            if product.limit and together[product.id] > left.get(product.id, together[product.id]):
                raise LimitReached(product.limit, left[product.id])
            if has_got(product.kind, product.grants, member_id=member_id):
                raise HadAlready
            if granted[product.kind, product.grants] > 1 and is_single(product.kind):
                raise OneIsEnough
        except DomainError as refusal:
            found[variant.id] = refusal
        else:
            found[variant.id] = _offer(variant, product, category, picture, perks)
    return found


@dataclass(frozen=True, slots=True)
class Label:
    """What a variant is called and looks like, whether it is in the mall or not. ``slug`` is ``None`` where it is not.

    ``unit_id`` is who sells it.
    """

    name: Mapping[str, str]
    variant_name: Mapping[str, str]
    picture: str | None
    slug: str | None
    unit_id: int


def labels_of(variant_ids: Collection[int]) -> dict[int, Label]:
    """Labels by variant, by one query; for lists of what people once chose."""
    query = (
        sa.select(Variant.id, Product.name, Variant.name, _FIRST_PICTURE, Product.slug, Product.unit_id, Product.status)
        .join(Product, Product.id == Variant.product_id)
        .where(any_of(Variant.id, variant_ids))
    )
    return {
        id_: Label(name, variant_name, picture, slug if status == "listed" else None, unit_id)
        for id_, name, variant_name, picture, slug, unit_id, status in db.session.execute(query)
    }


def _offer(variant: Variant, product: Product, category: str, picture: str | None, perks: Perks) -> Offer:
    return Offer(
        variant_id=variant.id,
        sku=variant.sku,
        variant_name=variant.name,
        stock=variant.stock,
        product_id=product.id,
        slug=product.slug,
        name=product.name,
        kind=product.kind,
        grants=product.grants,
        category=category,
        unit_id=product.unit_id,
        currency=product.currency,
        picture=picture,
        ways=ways_for(product, perks),
        ordinary=ways_of(product),
    )


def ways_for(product: Product, perks: Perks) -> dict[int, Way]:
    """Price id → what this member pays: the cash part at the member price."""
    return {key: at_member_price(way, perks.discount(product.unit_id)) for key, way in ways_of(product).items()}


def at_member_price(way: Way, discount: int) -> Way:
    if not discount:
        return way
    return Way(way.points, member_price(way.cash, discount=discount, least=least_cash(way.cash.currency)))


def ways_of(product: Product) -> dict[int, Way]:
    """Price id → way to pay; the one with the least cash first."""
    return {price.id: Way(Points(price.points), Money(price.cash, product.currency)) for price in product.prices}


def variants_of_kind(kind: str) -> sa.Select[*tuple[Any, ...]]:
    """What others need to know of all variants of a kind, as a part of their own queries."""
    return (
        sa.select(
            Variant.id.label("variant_id"),
            Variant.sku,
            Variant.stock,
            Variant.active,
            Variant.name.label("variant_name"),
            Product.slug,
            Product.name,
            Product.unit_id,
        )
        .join(Product, Product.id == Variant.product_id)
        .where(Product.kind == kind)
    )


# --- addresses and SKUs that are taken -----------------------------------------------------


def taken_skus(skus: Collection[str], *, but_of: int | None = None) -> set[str]:
    """Which of ``skus`` belong to another product than ``but_of``."""
    statement = sa.select(Variant.sku).where(Variant.sku.in_(skus))
    if but_of is not None:
        statement = statement.where(Variant.product_id != but_of)
    return set(db.session.scalars(statement))


def slug_taken(slug: str) -> bool:
    return db.session.scalar(sa.select(sa.exists().where(Product.slug == slug))) is True


def variants_called(words: str, *, units: Collection[int] | None, limit: int) -> list[int]:
    """Variants of these units (``None``: all) whose SKU begins so, or whose product's name has it, the newest first."""
    fits = [Variant.sku.istartswith(words, autoescape=True)]
    fits += [Product.name[locale].as_string().icontains(words, autoescape=True) for locale in LOCALES]
    query = sa.select(Variant.id).join(Product, Product.id == Variant.product_id).where(sa.or_(*fits))
    if units is not None:
        query = query.where(Product.unit_id.in_(units))
    return list(db.session.scalars(query.order_by(Variant.id.desc()).limit(limit)))
