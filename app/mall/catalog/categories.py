"""Categories in the back office: a dull table, declared."""

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
from app.mall.catalog.actions import create_category, update_category
from app.mall.catalog.models import Category
from app.mall.catalog.small_forms import CategoryForm


def _create(*, code: str, rank: str, by: Actor, now: datetime, **values: Any) -> Category:
    return create_category(code=code, name=texts_of(values, "name"), rank=int(rank), by=by, now=now)


def _update(category: Category, *, code: str, rank: str, by: Actor, now: datetime, **values: Any) -> Category:
    """The code in the form is shown, never written."""
    return update_category(category, name=texts_of(values, "name"), rank=int(rank), by=by, now=now)


def _values(category: Category) -> dict[str, Any]:
    return {"code": category.code, "rank": str(category.rank), **by_language("name", category.name)}


categories = Screen(
    name="categories",
    title=_l("Categories"),
    intro=_l("The shelves of the mall."),
    one=_l("Category"),
    new=_l("New category"),
    picture="store",
    model=Category,
    read=Permission.CATALOG_READ,
    write=Permission.CATALOG_WRITE,
    columns=[
        Column(label=_l("Category"), value=lambda row: translated(row.name), head=True, sub=lambda row: row.code),
        Column(
            label=_l("Languages"),
            value=lambda row: " · ".join(LABELS[locale] for locale in LOCALES if row.name.get(locale)),
        ),
        Column(label=_l("Place"), value=lambda row: row.rank, num=True),
    ],
    keys=[Category.rank, Category.id],
    newest_first=False,
    search=[Category.code],
    search_hint=_l("Search by code"),
    form=CategoryForm,
    label=lambda row: translated(row.name),
    load=_values,
    create=_create,
    update=_update,
)
