"""What the back office shows of a product, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import moment, money, points
from app.foundation.languages import translated
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import units_within
from app.mall.catalog import queries
from app.mall.catalog.models import Product, StockMovement
from app.mall.catalog.queries import ways_of
from app.mall.catalog.statements import full, picture_url


@dataclass(frozen=True, slots=True)
class Choices:
    """The units of this colleague and the categories, by code: their names and their ids."""

    unit_names: Mapping[str, str]
    unit_ids: Mapping[str, int]
    category_names: Mapping[str, str]
    category_ids: Mapping[str, int]

    def unit_code(self, unit_id: int) -> str:
        return next((code for code, number in self.unit_ids.items() if number == unit_id), "")

    def category_code(self, category_id: int) -> str:
        return next((code for code, number in self.category_ids.items() if number == category_id), "")


def choices() -> Choices:
    units = units_within(unit_scope(current_staff()))
    categories = queries.all_categories()
    return Choices(
        {unit.code: translated(unit.name) for unit in units},
        {unit.code: unit.id for unit in units},
        {category.code: translated(category.name) for category in categories},
        {category.code: category.id for category in categories},
    )


def status_badge(status: str) -> tuple[str, str]:
    return {
        "draft": (_("Draft"), "gold"),
        "listed": (_("Listed"), "brand"),
        "archived": (_("Archived"), "neutral"),
    }[status]


def row(product: Product, names: Choices) -> dict[str, Any]:
    label, tone = status_badge(product.status)
    unit, category = names.unit_code(product.unit_id), names.category_code(product.category_id)
    stock = sum(variant.stock for variant in product.variants if variant.active)
    return {
        "name": translated(product.name),
        "url": url_for(".show", slug=product.slug),
        "picture": picture_url(product.pictures[0].file) if product.pictures else "empty-box",
        "skus": ", ".join(variant.sku for variant in product.variants),
        "unit": names.unit_names.get(unit, ""),
        "category": names.category_names.get(category, ""),
        "ways": [full(way) for way in ways_of(product).values()],
        "stock": points(stock),
        "sold_out": stock == 0,
        "status": label,
        "tone": tone,
    }


def details(product: Product, names: Choices) -> dict[str, Any]:
    last = len(product.pictures) - 1
    return {
        "name": translated(product.name),
        "unit": names.unit_names.get(names.unit_code(product.unit_id), ""),
        "category": names.category_names.get(names.category_code(product.category_id), ""),
        "worth": money(product.worth),
        "ways": [full(way) for way in ways_of(product).values()],
        "updated": moment(product.updated_at),
        "variants": [
            {
                "sku": variant.sku,
                "name": translated(variant.name),
                "stock": points(variant.stock),
                "sold_out": not variant.stock,
                "active": variant.active,
            }
            for variant in product.variants
        ],
        "pictures": [
            {
                "source": picture_url(picture.file),
                "remove_url": url_for(".destroy_picture", slug=product.slug, picture_id=picture.id),
                "move_url": url_for(".update_picture", slug=product.slug, picture_id=picture.id),
                "earlier": place - 1 if place else None,
                "later": place + 1 if place < last else None,
            }
            for place, picture in enumerate(product.pictures)
        ],
    }


def movement_line(movement: StockMovement, sku: str) -> dict[str, Any]:
    reasons = {
        "order": _("Order"),
        "release": _("Order cancelled"),
        "delivery": _("Delivery"),
        "correction": _("Correction"),
    }
    return {
        "at": moment(movement.at, "short"),
        "sku": sku,
        "reason": reasons.get(movement.reason, movement.reason),
        "reference": movement.reference,
        "change": points(movement.change, sign=True),
        "after": points(movement.stock_after),
        "by": movement.by,
    }
