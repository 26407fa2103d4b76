"""What the back office's start page says about orders: today's work."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import points
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Tile, tile
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.orders.worklist import how_many_wait


@tile(Permission.ORDER_READ, order=20)
def to_send(_now: datetime) -> Tile:
    counts = how_many_wait(units=unit_scope(current_staff()))
    pack, ship = counts.get("paid", 0), counts.get("packed", 0) + counts.get("part_shipped", 0)
    return Tile(
        _("To pack"),
        points(pack),
        _("to ship: %(number)s", number=points(ship)),
        url=url_for("backoffice.orders.index", state="paid"),
        icon="box-seam",
        tone="gold" if pack or ship else None,
    )
