"""The staff's door: every page below ``/backoffice``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from app.community.courses.admin import courses
from app.community.quizzes.admin import quizzes
from app.engagement.checkin import telling as _checkin_telling  # noqa: F401
from app.engagement.referrals import telling as _referrals_telling  # noqa: F401
from app.engagement.referrals.admin import referrals
from app.foundation.languages import translated
from app.foundation.pages import NavItem
from app.foundation.permissions import declared
from app.foundation.screens.audit_log import audit_log
from app.foundation.screens.dashboard import dashboard
from app.foundation.screens.terms_pages import terms_pages
from app.identity.members import tiles as _member_tiles  # noqa: F401 - importing declares them
from app.identity.staff.admin import password, session, staff_accounts
from app.identity.tags.admin import member_tags
from app.identity.units.admin import units
from app.loyalty.benefits.admin import benefits, member_benefits
from app.loyalty.earning.admin import earning, offer_categories
from app.loyalty.ledger import alarm as _ledger_alarm  # noqa: F401
from app.loyalty.ledger.admin import books
from app.loyalty.simulation.admin import simulation
from app.loyalty.tiers.admin import member_tier, tier_ladder
from app.mall.bookings.admin import bookings
from app.mall.catalog import tiles as _catalog_tiles  # noqa: F401
from app.mall.catalog.admin import products
from app.mall.catalog.brands import brands
from app.mall.catalog.categories import categories
from app.mall.catalog.queries import all_categories
from app.mall.codes import tiles as _codes_tiles  # noqa: F401
from app.mall.codes.admin import codes
from app.mall.orders import tiles as _orders_tiles  # noqa: F401
from app.mall.orders.admin import orders
from app.mall.payments.admin import payments
from app.mall.returns import tiles as _returns_tiles  # noqa: F401
from app.mall.returns.admin import returns
from app.mall.slots.admin import slots
from app.support.desk.admin import members


def navigation() -> list[NavItem]:
    """What this person may open, in groups."""
    places = [
        ("", _("Today"), "backoffice.dashboard.show", "speedometer2"),
        (_("Service"), _("Members"), "backoffice.members.index", "people"),
        (_("Service"), _("Referrals"), "backoffice.referrals.index", "person-plus"),
        (_("Mall"), _("Products"), "backoffice.products.index", "bag"),
        (_("Mall"), _("Categories"), "backoffice.categories.index", "tags"),
        (_("Mall"), _("Code pools"), "backoffice.codes.index", "qr-code"),
        (_("Mall"), _("Brands"), "backoffice.brands.index", "award"),
        (_("Mall"), _("Orders"), "backoffice.orders.index", "box-seam"),
        (_("Mall"), _("Bookings"), "backoffice.bookings.index", "calendar-check"),
        (_("Mall"), _("Times"), "backoffice.slots.index", "calendar3"),
        (_("Mall"), _("Returns"), "backoffice.returns.index", "arrow-counterclockwise"),
        (_("Mall"), _("Payments"), "backoffice.payments.index", "credit-card"),
        (_("Programme"), _("Earning"), "backoffice.earning.edit", "coin"),
        (_("Programme"), _("Tiers"), "backoffice.tiers.index", "award"),
        (_("Programme"), _("Benefits"), "backoffice.benefits.index", "gift"),
        (_("Programme"), _("Quizzes"), "backoffice.quizzes.index", "star-fill"),
        (_("Programme"), _("Courses"), "backoffice.courses.index", "journal-text"),
        (_("Programme"), _("Terms"), "backoffice.terms.index", "sliders"),
        (_("House"), _("Business units"), "backoffice.units.index", "building"),
        (_("House"), _("Colleagues"), "backoffice.staff.index", "person-circle"),
        (_("House"), _("Books"), "backoffice.ledger.index", "shield-check"),
        (_("House"), _("Audit log"), "backoffice.audit.index", "journal-text"),
    ]
    here = (request.endpoint or "").rpartition(".")[0]
    return [
        NavItem(label, url_for(target), icon, target.rpartition(".")[0] == here, group=group)
        for group, label, target, icon in places
        if declared(target) in current_user.permissions
    ]


def category_names() -> dict[str, str]:
    """The mall's categories, for rules that are for one of them: code → name."""
    return {category.code: translated(category.name) for category in all_categories()}


def chrome() -> dict[str, Any]:
    """What the back office's layout needs around every page."""
    return {
        "navigation": navigation(),
        "home_url": url_for("backoffice.dashboard.show"),
        "profile_url": url_for("backoffice.password.edit"),
        "sign_in_url": url_for("backoffice.session.new"),
        "sign_out_url": url_for("backoffice.session.destroy"),
        "language_url": url_for("portal.preferences.update_language"),
        "front_door_url": "/",
    }


def init_app(app: Flask) -> None:
    """Hang every office page onto the back office, then the back office onto the application."""
    backoffice = Blueprint("backoffice", __name__, url_prefix="/backoffice")  # One per application, as in the portal.
    backoffice.context_processor(chrome)
    backoffice.register_blueprint(dashboard)
    backoffice.register_blueprint(session)
    backoffice.register_blueprint(password)
    backoffice.register_blueprint(staff_accounts.blueprint())
    backoffice.register_blueprint(units.blueprint())
    backoffice.register_blueprint(audit_log)
    backoffice.register_blueprint(terms_pages)
    backoffice.register_blueprint(simulation)
    backoffice.register_blueprint(earning)
    offer_categories(category_names)
    backoffice.register_blueprint(products)
    backoffice.register_blueprint(categories.blueprint())
    backoffice.register_blueprint(brands.blueprint())
    backoffice.register_blueprint(codes)
    backoffice.register_blueprint(orders)
    backoffice.register_blueprint(payments)
    backoffice.register_blueprint(returns)
    backoffice.register_blueprint(slots)
    backoffice.register_blueprint(bookings)
    backoffice.register_blueprint(members)
    backoffice.register_blueprint(member_tier)
    backoffice.register_blueprint(member_tags)
    backoffice.register_blueprint(member_benefits)
    backoffice.register_blueprint(benefits)
    backoffice.register_blueprint(tier_ladder)
    backoffice.register_blueprint(referrals)
    backoffice.register_blueprint(quizzes)
    backoffice.register_blueprint(courses)
    backoffice.register_blueprint(books)
    app.register_blueprint(backoffice)
