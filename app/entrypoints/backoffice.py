"""The staff's door: every page below ``/backoffice``."""

from __future__ import annotations

from flask import Blueprint, Flask

from app.mall.catalog.admin import products


def init_app(app: Flask) -> None:
    """Hang every office page onto the back office, then the back office onto the application."""
    backoffice = Blueprint("backoffice", __name__, url_prefix="/backoffice")  # One per application, as in the portal.
    backoffice.register_blueprint(products)
    app.register_blueprint(backoffice)
