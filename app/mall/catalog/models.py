"""The catalogue: products, their variants with stock, pictures and ways to pay."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Amount, BigId, Id, JsonObject, Model, reference
from app.foundation.money import Money
from app.mall.catalog.rules import GRANTING, KINDS, Limit, Window


class Category(Model):
    __tablename__ = "category"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    name: Mapped[JsonObject]
    rank: Mapped[int] = mapped_column(default=0)


class Brand(Model):
    """A maker or partner 品牌 whose name stands on products."""

    __tablename__ = "brand"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    name: Mapped[JsonObject]


class Product(Model):
    """Texts are by language; ``search_text`` is all of them, the brand's and the SKUs, folded.

    ``list_price`` is what it costs outside the mall, in minor units, to show the worth. Members see it from
    ``listed_at`` on, and can have it from ``on_sale_from`` (their tier may let them earlier) until ``on_sale_until``;
    with ``tier_id`` only from that tier up, and with a limit so many pieces each in a period (see ``rules.PERIODS``).
    ``grants`` is the code of what it gives instead of goods, see ``grants.py``.
    ``points_from``, ``price_from`` and ``popularity`` are worked out for sorting, see ``rules.sort_keys`` and ``jobs``.
    ``revision`` counts the edits, so that two people editing at once do not overwrite each other unseen.
    """

    __tablename__ = "product"
    __table_args__ = (
        sa.CheckConstraint("status IN ('draft', 'listed', 'archived')", name="status_known"),
        sa.CheckConstraint(f"kind IN ({', '.join(map(repr, KINDS))})", name="kind_known"),
        sa.CheckConstraint(f"(kind IN ({', '.join(map(repr, GRANTING))})) = (grants <> '')", name="grants_something"),
        sa.CheckConstraint("list_price >= 0", name="list_price_not_negative"),
        sa.CheckConstraint("status <> 'listed' OR listed_at IS NOT NULL", name="listed_since"),
        sa.CheckConstraint("on_sale_from < on_sale_until", name="sale_begins_before_it_ends"),
        sa.CheckConstraint("limit_pieces > 0", name="limit_positive"),
        sa.CheckConstraint("(limit_pieces IS NULL) = (limit_period IS NULL)", name="limit_has_a_period"),
        sa.CheckConstraint("limit_period IN ('day', 'week', 'month', 'year', 'ever')", name="limit_period_known"),
        # What the mall is sorted by, each with the id so that pages follow each other without a gap.
        sa.Index(None, "status", "listed_at", "id"),
        sa.Index(None, "status", "popularity", "id"),
        sa.Index(None, "status", "points_from", "id"),
        sa.Index(None, "status", "price_from", "id"),
        sa.Index(None, "category_id", "status", "listed_at", "id"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(sa.String(80), unique=True)
    unit_id: Mapped[int] = reference("unit.id", index=True)
    category_id: Mapped[int] = reference("category.id")
    brand_id: Mapped[int | None] = reference("brand.id", index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    grants: Mapped[str] = mapped_column(sa.String(60), default="")
    status: Mapped[str] = mapped_column(sa.String(10), default="draft")
    name: Mapped[JsonObject]
    description: Mapped[JsonObject]
    list_price: Mapped[Amount]
    currency: Mapped[str] = mapped_column(sa.String(3))
    listed_at: Mapped[datetime | None]
    on_sale_from: Mapped[datetime | None]
    on_sale_until: Mapped[datetime | None]
    tier_id: Mapped[int | None] = reference("tier.id")
    limit_pieces: Mapped[int | None]
    limit_period: Mapped[str | None] = mapped_column(sa.String(8))
    points_from: Mapped[Amount]
    price_from: Mapped[Amount]
    popularity: Mapped[int] = mapped_column(default=0)
    search_text: Mapped[str] = mapped_column(sa.Text)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    variants: Mapped[list[Variant]] = relationship(order_by="Variant.rank, Variant.id")
    pictures: Mapped[list[Picture]] = relationship(order_by="Picture.rank, Picture.id")
    prices: Mapped[list[Price]] = relationship(order_by="Price.cash, Price.points")

    @property
    def worth(self) -> Money:
        return Money(self.list_price, self.currency)

    @property
    def window(self) -> Window:
        return Window(self.on_sale_from, self.on_sale_until)

    @property
    def limit(self) -> Limit | None:
        return Limit(self.limit_pieces, self.limit_period) if self.limit_pieces and self.limit_period else None


class Variant(Model):
    """A SKU. ``stock`` never falls below zero: the database says so too.

    Orders and movements name it for ever, so it is never deleted: one that is no longer sold is not ``active``.
    """

    __tablename__ = "variant"
    __table_args__ = (sa.CheckConstraint("stock >= 0", name="stock_not_negative"),)

    id: Mapped[Id]
    product_id: Mapped[int] = reference("product.id", index=True)
    sku: Mapped[str] = mapped_column(sa.String(60), unique=True)
    name: Mapped[JsonObject]
    stock: Mapped[int]
    active: Mapped[bool] = mapped_column(default=True)
    rank: Mapped[int] = mapped_column(default=0)


class Price(Model):
    """One way to pay for one piece: points alone (``cash = 0``), points + cash 积分加钱购, or cash alone."""

    __tablename__ = "price"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "points", "cash"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
        sa.CheckConstraint("cash >= 0", name="cash_not_negative"),
        sa.CheckConstraint("points + cash > 0", name="something_to_pay"),
        # What so many points buy, and what the next ones would.
        sa.Index(
            "ix_price_points_alone",
            "points",
            "product_id",
            postgresql_where=sa.text("cash = 0"),
            sqlite_where=sa.text("cash = 0"),
        ),
    )

    id: Mapped[Id]
    product_id: Mapped[int] = reference("product.id")
    points: Mapped[Amount]
    cash: Mapped[Amount]


class Picture(Model):
    """``file`` is the name, without its size, of re-encoded WebP files below the media folder."""

    __tablename__ = "picture"

    id: Mapped[Id]
    product_id: Mapped[int] = reference("product.id", index=True)
    file: Mapped[str] = mapped_column(sa.String(80))
    rank: Mapped[int] = mapped_column(default=0)


class StockMovement(Model):
    """Every change of a variant's stock, with its reason: ``order``, ``release``, ``delivery``, ``correction``.

    ``member_id`` is whose order took the pieces; what gives some back carries the same ``reference``.
    """

    __tablename__ = "stock_movement"
    __table_args__ = (
        sa.Index(None, "member_id", "variant_id"),
        sa.Index(None, "reason", "at"),
        sa.Index(None, "reference"),
    )

    id: Mapped[Id]
    variant_id: Mapped[int] = reference("variant.id", index=True)
    member_id: Mapped[int | None] = reference("member.id")
    change: Mapped[int]
    stock_after: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(20))
    reference: Mapped[str] = mapped_column(sa.String(80), default="")
    by: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[datetime]


class ProductWord(Model):
    """A word that a product is found by; see ``words.words_of``. Sorted by bytes, so that a beginning is a range."""

    __tablename__ = "product_word"
    __table_args__ = (sa.Index(None, "word", "product_id"),)

    product_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("product.id"), primary_key=True)
    word: Mapped[str] = mapped_column(
        sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql"), primary_key=True
    )


class Wish(Model):
    """At most one per member and product."""

    __tablename__ = "wish"
    __table_args__ = (sa.Index(None, "member_id", "at", "product_id"),)

    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("member.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("product.id"), primary_key=True, index=True)
    at: Mapped[datetime]


class RecentlySeen(Model):
    """When a member last looked at a product; only the latest are kept."""

    __tablename__ = "recently_seen"
    __table_args__ = (sa.Index(None, "member_id", "at"),)

    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("member.id"), primary_key=True)
    product_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("product.id"), primary_key=True, index=True)
    at: Mapped[datetime]
