"""What the back office's start page says about code pools: whether somebody waits for codes."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import points
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Tile, tile
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.codes.queries import orders_waiting


@tile(Permission.CATALOG_READ, order=22)
def waiting_for_codes(_now: datetime) -> Tile | None:
    orders, pieces = orders_waiting(unit_scope(current_staff()))
    if not orders:
        return None
    return Tile(
        _("Waiting for codes"),
        points(orders),
        _("codes missing: %(number)s", number=points(pieces)),
        url=url_for("backoffice.codes.index"),
        icon="qr-code",
        tone="gold",
    )
