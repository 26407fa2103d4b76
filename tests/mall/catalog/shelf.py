"""Things on a shelf for tests, and short ways to look at them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import sqlalchemy as sa
from PIL import Image

from app.foundation.actors import SYSTEM, Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.foundation.points import Points
from app.mall.catalog import actions
from app.mall.catalog.models import Category, Product, Variant
from app.mall.catalog.queries import category_by_code, product_by_slug
from app.mall.catalog.rules import ProductDraft, VariantDraft, Way
from app.mall.catalog.stockroom import product_of_units
from tests.cast import make_unit
from tests.conftest import NOON

_numbers = itertools.count(1)
CLERK = Actor("staff", 7, "Mei Zhao")


def make_category(code: str = "tea", en: str = "Tea", zh: str = "茶") -> Category:
    with transaction():
        return category_by_code(code) or actions.create_category(
            code=code, name={"en": en, "zh_Hans": zh}, by=SYSTEM, now=NOON
        )


def draft(
    name: str | dict[str, str] = "Green tea",
    *,
    ways: tuple[tuple[int, int], ...] = ((380, 0),),
    stock: int = 10,
    unit: str = "mall",
    category: str = "tea",
    **fields: Any,
) -> ProductDraft:
    """``ways`` are (points, cash in minor units)."""
    given = {
        "unit_id": make_unit(unit).id,
        "category_id": make_category(category).id,
        "kind": "physical",
        "name": {"en": name} if isinstance(name, str) else name,
        "list_price": Money(5900, "CNY"),
        "ways": [Way(Points(points), Money(cash, "CNY")) for points, cash in ways],
        "variants": [VariantDraft(sku=f"SKU-{next(_numbers)}", stock=stock)],
    }
    return ProductDraft(**(given | fields))


def put_on_shelf(name: str | dict[str, str] = "Green tea", *, listed: bool = True, **fields: Any) -> str:
    """A product made as staff would make it. Returns the slug."""
    wanted = draft(name, **fields)
    with transaction():
        product = actions.create_product(draft=wanted, by=CLERK, now=NOON)
        if listed:
            actions.list_product(product=product, by=CLERK, now=NOON)
        return product.slug


def product(slug: str) -> Product:
    """As the database has it now."""
    db.session.rollback()
    db.session.expire_all()
    there = product_of_units(None, slug)
    assert there is not None
    return there


def found(slug: str) -> Product:
    """What members see under this address."""
    there = product_by_slug(slug, now=NOON)
    assert there is not None
    return there


def first_variant(slug: str) -> Variant:
    return product(slug).variants[0]


def audit_trail() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))


def photo(width: int = 900, height: int = 600, form: str = "JPEG", **options: Any) -> BytesIO:
    stream = BytesIO()
    Image.new("RGB", (width, height), "#1f8f6a").save(stream, form, **options)
    stream.seek(0)
    return stream


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that reach the database. SQLite is told BEGIN aloud, which is none."""
    statements = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
