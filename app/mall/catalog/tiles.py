"""What the back office's start page says about the shelves."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import points
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Tile, tile
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.catalog.stockroom import how_many_sold_out


@tile(Permission.CATALOG_READ, order=40)
def sold_out(_now: datetime) -> Tile:
    number = how_many_sold_out(unit_scope(current_staff()))
    return Tile(
        _("Sold out"),
        points(number),
        _("listed, but nothing in stock"),
        url=url_for("backoffice.products.index", stock="none"),
        icon="bag",
        tone="gold" if number else None,
    )
