"""The members' door: every page below ``/``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, request
from flask_babel import gettext as _

from app.community.courses.views import courses
from app.community.quizzes.views import quizzes
from app.engagement.checkin.views import checkin
from app.engagement.earn.views import earn
from app.engagement.home.views import home
from app.engagement.referrals.views import referrals
from app.engagement.reminders.views import reminders
from app.engagement.sharing.views import sharing
from app.entrypoints.programme import programme
from app.foundation.pages import NavItem, url_of, viewer
from app.identity.members.views import address, contact, password, preferences, profile, registration, session
from app.loyalty.benefits.views import benefits
from app.loyalty.ledger.views import points, proof, statements
from app.loyalty.tiers.views import tiers
from app.mall.bookings.views import bookings
from app.mall.cart.views import bring_along, cart, pieces
from app.mall.catalog.views import mall, media
from app.mall.checkout.views import checkout
from app.mall.codes.views import codes
from app.mall.orders.views import orders
from app.mall.payments.views import sandbox
from app.mall.returns.views import returns
from app.mall.slots.views import times

# A page that belongs to another one's place in the bar.
BELONGS_TO = {
    "portal.tiers": "portal.home",
    "portal.benefits": "portal.home",
    "portal.referrals": "portal.home",
    "portal.earn": "portal.points",
    "portal.quizzes": "portal.points",
    "portal.courses": "portal.points",
    "portal.sharing": "portal.home",
    "portal.statements": "portal.points",
    "portal.address": "portal.profile",
    "portal.contact": "portal.profile",
    "portal.password": "portal.profile",
    "portal.reminders": "portal.profile",
    "portal.returns": "portal.orders",
    "portal.codes": "portal.orders",
    "portal.bookings": "portal.orders",
    "portal.times": "portal.mall",
    "portal.cart": "portal.mall",
    "portal.checkout": "portal.mall",
}
WITH_CART = ("portal.mall", "portal.cart")  # Where the header shows what lies in the cart.


def navigation() -> list[NavItem]:
    """At most five, for the bar at the bottom of a phone. The order is the order of use."""
    if viewer().kind == "staff":
        return _for_colleagues()
    places = [
        (_("Home"), "portal.home.show", "house-door-fill"),
        (_("Points"), "portal.points.index", "coin"),
        (_("Mall"), "portal.mall.index", "bag-fill"),
        (_("Orders"), "portal.orders.index", "receipt"),
        (_("Me"), "portal.profile.show", "person-fill"),
    ]
    here = (request.endpoint or "").rpartition(".")[0]
    here = BELONGS_TO.get(here, here)
    return [NavItem(label, url_of(target), icon, target.rpartition(".")[0] == here) for label, target, icon in places]


def _for_colleagues() -> list[NavItem]:
    """Staff see what everybody sees, and the way back to their own pages."""
    places = [
        (_("Programme"), "portal.programme.show", "star-fill"),
        (_("Mall"), "portal.mall.index", "bag-fill"),
        (_("Back office"), "backoffice.dashboard.show", "shop"),
    ]
    return [NavItem(label, url_of(target), icon, target == request.endpoint) for label, target, icon in places]


def _shows_cart() -> bool:
    return viewer().kind != "staff" and (request.endpoint or "").rpartition(".")[0] in WITH_CART


def chrome() -> dict[str, Any]:
    """What the portal's layout needs around every page."""
    return {
        "navigation": navigation(),
        "home_url": "/",
        "profile_url": url_of("backoffice.dashboard.show" if viewer().kind == "staff" else "portal.profile.show"),
        "sign_in_url": url_of("portal.session.new"),
        "sign_out_url": url_of("portal.session.destroy"),
        "register_url": url_of("portal.registration.new"),
        "language_url": url_of("portal.preferences.update_language"),
        "ledger_url": url_of("portal.proof.index"),
        "cart_url": url_of("portal.cart.index") if _shows_cart() else None,
        "cart_pieces": pieces,
    }


def init_app(app: Flask) -> None:
    """Hang every member page onto the portal, then the portal onto the application."""
    portal = Blueprint("portal", __name__)
    portal.context_processor(chrome)
    portal.before_request(bring_along)
    portal.register_blueprint(session)
    portal.register_blueprint(registration)
    portal.register_blueprint(password)
    portal.register_blueprint(profile)
    portal.register_blueprint(contact)
    portal.register_blueprint(address)
    portal.register_blueprint(preferences)
    portal.register_blueprint(mall)
    portal.register_blueprint(media)
    portal.register_blueprint(cart)
    portal.register_blueprint(checkout)
    portal.register_blueprint(orders)
    portal.register_blueprint(returns)
    portal.register_blueprint(codes)
    portal.register_blueprint(bookings)
    portal.register_blueprint(times)
    portal.register_blueprint(home)
    portal.register_blueprint(points)
    portal.register_blueprint(statements)
    portal.register_blueprint(proof)
    portal.register_blueprint(tiers)
    portal.register_blueprint(benefits)
    portal.register_blueprint(programme)
    portal.register_blueprint(checkin)
    portal.register_blueprint(referrals)
    portal.register_blueprint(sharing)
    portal.register_blueprint(reminders)
    portal.register_blueprint(earn)
    portal.register_blueprint(quizzes)
    portal.register_blueprint(courses)
    app.register_blueprint(portal)
    settings = app.config["SETTINGS"]
    if settings.payment_gateway == "sandbox" and not settings.production:
        app.register_blueprint(sandbox)
