"""What the back office's start page says about returns: who waits for an answer."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext as _

from app.foundation.formats import points
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Tile, tile
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.returns.queries import waiting


@tile(Permission.ORDER_READ, order=25)
def returns_waiting(_now: datetime) -> Tile:
    counts = waiting(units=unit_scope(current_staff()))
    requested, approved = counts.get("requested", 0), counts.get("approved", 0)
    return Tile(
        _("Returns waiting"),
        points(requested),
        _("on their way back: %(number)s", number=points(approved)),
        url=url_for("backoffice.returns.index", state="requested"),
        icon="arrow-counterclockwise",
        tone="gold" if requested else None,
    )
