"""The members' door: every page below ``/``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _

from app.foundation.pages import NavItem

portal = Blueprint("portal", __name__)


def navigation() -> list[NavItem]:
    """At most five, for the bar at the bottom of a phone. The order is the order of use."""
    places = [
        (_("Home"), "portal.home.show", "house"),
        (_("Points"), "portal.points.index", "coin"),
        (_("Mall"), "portal.mall.index", "bag"),
        (_("Orders"), "portal.orders.index", "receipt"),
        (_("Me"), "portal.profile.show", "person"),
    ]
    here = (request.endpoint or "").rpartition(".")[0]
    return [NavItem(label, url_for(target), icon, target.rpartition(".")[0] == here) for label, target, icon in places]


def chrome() -> dict[str, Any]:
    """What the portal's layout needs around every page."""
    return {
        "navigation": navigation(),
        "home_url": url_for("portal.home.show"),
        "profile_url": url_for("portal.profile.show"),
        "sign_in_url": url_for("portal.session.new"),
        "sign_out_url": url_for("portal.session.destroy"),
        "register_url": url_for("portal.registration.new"),
        "language_url": url_for("portal.preferences.update_language"),
    }


def init_app(app: Flask) -> None:
    """Hang every member page onto the portal, then the portal onto the application."""
