"""Categories and brands, as staff keep them. Everything here leaves an audit entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.mall.catalog import search
from app.mall.catalog.editing import texts_only
from app.mall.catalog.models import Brand, Category, Product

CODE = re.compile(r"[a-z][a-z0-9-]{1,31}")
CHUNK = 500

# --- categories -----------------------------------------------------------------------------


def create_category(*, code: str, name: Mapping[str, str], rank: int = 0, by: Actor, now: datetime) -> Category:
    """``code`` stays for good: orders and earning rules name the category by it. Raises ``InvalidInput``."""
    if not CODE.fullmatch(code):
        raise InvalidInput(
            _("A category's code is 2 to 32 small letters, digits and hyphens, beginning with a letter.")
        )
    category = Category(code=code, name=_category_name(name), rank=rank)
    try:
        with db.session.begin_nested():  # The constraint decides between two who choose the same code at once.
            db.session.add(category)
    except IntegrityError as error:
        raise InvalidInput(_("There is a category with the code %(code)s already.", code=code)) from error
    audit.record("category.create", subject=_category_subject(category), by=by, now=now, after=_facts(category))
    return category


def update_category(category: Category, *, name: Mapping[str, str], rank: int, by: Actor, now: datetime) -> Category:
    before = _facts(category)
    category.name, category.rank = _category_name(name), rank
    audit.record(
        "category.update", subject=_category_subject(category), by=by, now=now, before=before, after=_facts(category)
    )
    return category


def _category_name(name: Mapping[str, str]) -> dict[str, str]:
    texts = texts_only(name)
    if not texts:
        raise InvalidInput(_("Please give the category a name in at least one language."))
    return texts


def _facts(category: Category) -> dict[str, Any]:
    return {"name": dict(category.name), "rank": category.rank}


def _category_subject(category: Category) -> tuple[str, object, str]:
    return "category", category.code, translated(category.name)


# --- brands ---------------------------------------------------------------------------------


def create_brand(*, code: str, name: Mapping[str, str], by: Actor, now: datetime) -> Brand:
    """Raises ``InvalidInput``."""
    if not CODE.fullmatch(code):
        raise InvalidInput(_("A brand's code is 2 to 32 small letters, digits and hyphens, beginning with a letter."))
    brand = Brand(code=code, name=_brand_name(name))
    try:
        with db.session.begin_nested():
            db.session.add(brand)
    except IntegrityError as error:
        raise InvalidInput(_("There is a brand with the code %(code)s already.", code=code)) from error
    audit.record("brand.create", subject=_brand_subject(brand), by=by, now=now, after={"name": dict(brand.name)})
    return brand


def update_brand(brand: Brand, *, name: Mapping[str, str], by: Actor, now: datetime) -> Brand:
    """Its products are found by the new name at once."""
    before = {"name": dict(brand.name)}
    brand.name = _brand_name(name)
    db.session.flush()
    last = 0
    query = sa.select(Product).where(Product.brand_id == brand.id).options(selectinload(Product.variants))
    while some := db.session.scalars(query.where(Product.id > last).order_by(Product.id).limit(CHUNK)).all():
        for product in some:
            search.index(product, brand.name)
        last = some[-1].id
    after = {"name": dict(brand.name)}
    audit.record("brand.update", subject=_brand_subject(brand), by=by, now=now, before=before, after=after)
    return brand


def _brand_name(name: Mapping[str, str]) -> dict[str, str]:
    texts = texts_only(name)
    if not texts:
        raise InvalidInput(_("Please give the brand a name in at least one language."))
    return texts


def _brand_subject(brand: Brand) -> tuple[str, object, str]:
    return "brand", brand.code, translated(brand.name)
