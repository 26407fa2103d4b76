"""The staff's door: every page below ``/backoffice``."""

from __future__ import annotations

from flask import Blueprint, Flask

backoffice = Blueprint("backoffice", __name__, url_prefix="/backoffice")


def init_app(app: Flask) -> None:
    """Hang every office page onto the back office, then the back office onto the application."""
