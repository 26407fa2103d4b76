"""What the pages share: their blueprint, who is there, and the product that they may see."""

from __future__ import annotations

from flask import Blueprint, abort

from app.foundation.actors import Actor
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog import stockroom
from app.mall.catalog.models import Product

products = Blueprint("products", __name__, url_prefix="/products")


def own_product_or_404(slug: str) -> Product:
    product = stockroom.product_of_units(unit_scope(current_staff()), slug)
    return product if product is not None else abort(404)


def me() -> Actor:
    return current_staff().actor
