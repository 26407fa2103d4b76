"""What changes the catalogue, for whoever is outside: products, shelves, stock, wishes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.mall.catalog.counted import tie as tie_to_kind
from app.mall.catalog.editing import (
    archive_product,
    copy_product,
    create_product,
    list_product,
    update_product,
)
from app.mall.catalog.galleries import add_picture, attach_pictures, move_picture, remove_picture
from app.mall.catalog.grants import Grantable, Grantor, grantor_of
from app.mall.catalog.grants import register as register_grantor
from app.mall.catalog.limits import lock_shelves, lock_to_take, take_pieces
from app.mall.catalog.shelves import create_brand, create_category, update_brand, update_category
from app.mall.catalog.stock import change_stock, change_stock_by_hand, set_stock
from app.mall.catalog.wishes import note_seen, unwish, wish

__all__ = [
    "Grantable",
    "Grantor",
    "add_picture",
    "archive_product",
    "attach_pictures",
    "change_stock",
    "change_stock_by_hand",
    "copy_product",
    "create_brand",
    "create_category",
    "create_product",
    "grantor_of",
    "list_product",
    "lock_shelves",
    "lock_to_take",
    "move_picture",
    "note_seen",
    "register_grantor",
    "remove_picture",
    "set_stock",
    "take_pieces",
    "tie_to_kind",
    "unwish",
    "update_brand",
    "update_category",
    "update_product",
    "wish",
]

audit.describe(
    "product",
    _l("Product"),
    {
        "product.create": _l("Product added"),
        "product.update": _l("Product changed"),
        "product.listed": _l("Product listed"),
        "product.archived": _l("Product archived"),
        "product.pictures": _l("Pictures changed"),
        "stock.change": _l("Stock changed"),
    },
)
audit.describe(
    "category", _l("Category"), {"category.create": _l("Category added"), "category.update": _l("Category changed")}
)
audit.describe("brand", _l("Brand"), {"brand.create": _l("Brand added"), "brand.update": _l("Brand changed")})
