"""What the back office shows of a product, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import day, moment, money, points
from app.foundation.languages import translated
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import units_within
from app.loyalty.tiers.queries import ladder
from app.mall.catalog import queries, stockroom
from app.mall.catalog.errors import limit_text
from app.mall.catalog.models import Product, StockMovement
from app.mall.catalog.queries import ways_of
from app.mall.catalog.statements import full, picture_url


@dataclass(frozen=True, slots=True)
class Choices:
    """The units of this colleague, and the categories, brands and tiers, by code: their names and their ids."""

    names: Mapping[str, Mapping[str, str]]
    ids: Mapping[str, Mapping[str, int]]

    def code(self, what: str, wanted: int | None) -> str:
        return next((code for code, number in self.ids[what].items() if number == wanted), "")

    def name(self, what: str, wanted: int | None) -> str:
        return self.names[what].get(self.code(what, wanted), "")

    def codes(self, product: Product) -> dict[str, str]:
        """What a product names, as a form shows it."""
        return {
            "unit": self.code("unit", product.unit_id),
            "category": self.code("category", product.category_id),
            "brand": self.code("brand", product.brand_id),
            "tier": self.code("tier", product.tier_id),
        }


def choices() -> Choices:
    return choices_within(unit_scope(current_staff()))


def choices_within(units: stockroom.Scope) -> Choices:
    """For somebody who sees these units."""
    found: dict[str, Sequence[Any]] = {
        "unit": units_within(units),
        "category": queries.all_categories(),
        "brand": queries.all_brands(),
        "tier": [tier for tier in ladder() if tier.rank],  # The first step is every member.
    }
    names = {what: {each.code: translated(each.name) for each in those} for what, those in found.items()}
    names["tier"] = {code: _("From %(tier)s up", tier=name) for code, name in names["tier"].items()}
    return Choices(names, {what: {each.code: each.id for each in those} for what, those in found.items()})


def status_badge(status: str) -> tuple[str, str]:
    return {
        "draft": (_("Draft"), "gold"),
        "listed": (_("Listed"), "brand"),
        "archived": (_("Archived"), "neutral"),
    }[status]


def state_badge(product: Product, now: datetime) -> tuple[str, str]:
    """The status, and with a listing that is still to come or a sale that is over what that means."""
    if product.status != "listed":
        return status_badge(product.status)
    if product.listed_at and product.listed_at > now:
        return _("From %(day)s", day=day(product.listed_at)), "info"
    return (_("Sale over"), "neutral") if product.window.over(now) else status_badge("listed")


def row(product: Product, names: Choices, now: datetime) -> dict[str, Any]:
    label, tone = state_badge(product, now)
    stock = sum(variant.stock for variant in product.variants if variant.active)
    return {
        "name": translated(product.name),
        "slug": product.slug,
        "url": url_for(".show", slug=product.slug),
        "picture": picture_url(product.pictures[0].file) if product.pictures else "empty-box",
        "skus": ", ".join(variant.sku for variant in product.variants),
        "unit": names.name("unit", product.unit_id),
        "category": names.name("category", product.category_id),
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
        "unit": names.name("unit", product.unit_id),
        "category": names.name("category", product.category_id),
        "brand": names.name("brand", product.brand_id),
        "tier": names.name("tier", product.tier_id),
        "listed_from": moment(product.listed_at) if product.listed_at else "",
        "sale": _sale(product),
        "limit": limit_text(product.limit) if product.limit else "",
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


def _sale(product: Product) -> str:
    start, until = product.on_sale_from, product.on_sale_until
    if start and until:
        return _("%(start)s to %(end)s", start=moment(start), end=moment(until))
    if start:
        return _("From %(moment)s", moment=moment(start))
    return _("Until %(moment)s", moment=moment(until)) if until else ""


def movement_line(movement: StockMovement, sku: str) -> dict[str, Any]:
    reasons = {
        "order": _("Order"),
        "release": _("Order cancelled"),
        "delivery": _("Goods received"),
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
