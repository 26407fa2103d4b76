"""The catalogue: products, their variants with stock, pictures and ways to pay."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation.database import Amount, Id, JsonObject, Model, reference
from app.foundation.money import Money


class Category(Model):
    __tablename__ = "category"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    name: Mapped[JsonObject]
    rank: Mapped[int] = mapped_column(default=0)


class Product(Model):
    """Texts are by language; ``search_text`` is all of them and the SKUs in lower case.

    ``list_price`` is what it costs outside the mall, in minor units, to show the worth.
    ``revision`` counts the edits, so that two people editing at once do not overwrite each other unseen.
    """

    __tablename__ = "product"
    __table_args__ = (
        sa.CheckConstraint("status IN ('draft', 'listed', 'archived')", name="status_known"),
        sa.CheckConstraint("kind IN ('physical', 'code', 'service')", name="kind_known"),
        sa.CheckConstraint("list_price >= 0", name="list_price_not_negative"),
        sa.Index("ix_product_status_id", "status", "id"),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(sa.String(80), unique=True)
    unit_id: Mapped[int] = reference("unit.id", index=True)
    category_id: Mapped[int] = reference("category.id", index=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    status: Mapped[str] = mapped_column(sa.String(10), default="draft")
    name: Mapped[JsonObject]
    description: Mapped[JsonObject]
    list_price: Mapped[Amount]
    currency: Mapped[str] = mapped_column(sa.String(3))
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
    """One way to pay for one piece: points alone (``cash = 0``) or points + cash 积分加钱购."""

    __tablename__ = "price"
    __table_args__ = (
        sa.UniqueConstraint("product_id", "points", "cash"),
        sa.CheckConstraint("points > 0", name="points_positive"),
        sa.CheckConstraint("cash >= 0", name="cash_not_negative"),
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
    """Every change of a variant's stock, with its reason: ``order``, ``release``, ``delivery``, ``correction``."""

    __tablename__ = "stock_movement"

    id: Mapped[Id]
    variant_id: Mapped[int] = reference("variant.id", index=True)
    change: Mapped[int]
    stock_after: Mapped[int]
    reason: Mapped[str] = mapped_column(sa.String(20))
    reference: Mapped[str] = mapped_column(sa.String(80), default="")
    by: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[datetime]
