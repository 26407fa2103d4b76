"""Brands in the back office: a dull table, declared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from app.config import LOCALES
from app.foundation.actors import Actor
from app.foundation.formtools import by_language, texts_of
from app.foundation.languages import LABELS, translated
from app.foundation.permissions import Permission
from app.foundation.screens import Column, Screen
from app.mall.catalog.actions import create_brand, update_brand
from app.mall.catalog.models import Brand
from app.mall.catalog.small_forms import BrandForm


def _create(*, code: str, by: Actor, now: datetime, **values: Any) -> Brand:
    return create_brand(code=code, name=texts_of(values, "name"), by=by, now=now)


def _update(brand: Brand, *, code: str, by: Actor, now: datetime, **values: Any) -> Brand:
    """The code in the form is shown, never written."""
    return update_brand(brand, name=texts_of(values, "name"), by=by, now=now)


def _values(brand: Brand) -> dict[str, Any]:
    return {"code": brand.code, **by_language("name", brand.name)}


brands = Screen(
    name="brands",
    title=_l("Brands"),
    intro=_l("Makers and partners whose names stand on products; members find products by them."),
    one=_l("Brand"),
    new=_l("New brand"),
    picture="store",
    model=Brand,
    read=Permission.CATALOG_READ,
    write=Permission.CATALOG_WRITE,
    columns=[
        Column(label=_l("Brand"), value=lambda row: translated(row.name), head=True, sub=lambda row: row.code),
        Column(
            label=_l("Languages"),
            value=lambda row: " · ".join(LABELS[locale] for locale in LOCALES if row.name.get(locale)),
        ),
    ],
    keys=[Brand.code],
    newest_first=False,
    search=[Brand.code],
    search_hint=_l("Search by code"),
    form=BrandForm,
    label=lambda row: translated(row.name),
    load=_values,
    create=_create,
    update=_update,
)
