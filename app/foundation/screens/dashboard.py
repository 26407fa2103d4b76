"""The back office's start page."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_login import current_user

from app.foundation import clock
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.foundation.screens.tiles import Alarm, Chart, Tile, shown

dashboard = Blueprint("dashboard", __name__)


@dashboard.get("/")
@requires(Permission.OFFICE)
def show() -> ResponseReturnValue:
    now = clock.now()
    made = shown(now)
    return page(
        "backoffice/dashboard/show.html",
        today=format_date(clock.local_date(now, clock.programme_zone()), "full"),
        name=current_user.name,
        alarms=[entry for entry in made if isinstance(entry, Alarm)],
        tiles=[entry for entry in made if isinstance(entry, Tile)],
        charts=[entry for entry in made if isinstance(entry, Chart)],
    )
