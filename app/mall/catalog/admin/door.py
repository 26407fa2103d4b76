"""What the pages share: their blueprint, who is there, and the product that they may see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort

from app.foundation.actors import Actor
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import stockroom
from app.mall.catalog.models import Product
from app.mall.catalog.office import Choices
from app.mall.catalog.stockroom import Wanted

products = Blueprint("products", __name__, url_prefix="/products")


def own_product_or_404(slug: str) -> Product:
    product = stockroom.product_of_units(unit_scope(current_staff()), slug)
    return product if product is not None else abort(404)


def me() -> Actor:
    return current_staff().actor


# --- which products are meant ---------------------------------------------------------------

FILTERS = ("q", "status", "unit", "category", "stock")


def filters_in(asked: Mapping[str, str]) -> dict[str, Any]:
    """Those of the list's filters that hold something."""
    return {key: text for key in FILTERS if (text := asked.get(key, "").strip())}


def wanted_by(filters: Mapping[str, str], names: Choices) -> Wanted:
    return Wanted(
        search=filters.get("q", ""),
        status=filters.get("status", ""),
        # An unknown code finds nothing rather than everything.
        unit_id=names.ids["unit"].get(filters["unit"], 0) if "unit" in filters else None,
        category_id=names.ids["category"].get(filters["category"], 0) if "category" in filters else None,
        sold_out=filters.get("stock") == "none",
    )
