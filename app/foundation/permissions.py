"""Permissions are named verbs on resources; roles are sets of them.

Every view declares what it needs with ``@requires`` or ``@public``. A view that declares
nothing is refused, so a forgotten declaration is a locked door and never an open one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.foundation.pages import KEPT, local_url

V = TypeVar("V", bound=Callable[..., Any])


class Permission(enum.StrEnum):
    # A member's own affairs.
    PROFILE_OWN = "profile:own"
    POINTS_OWN = "points:own"
    CHECKIN_OWN = "checkin:own"
    REFERRAL_OWN = "referral:own"
    SHARE_OWN = "share:own"
    QUIZ_TAKE = "quiz:take"
    COURSE_TAKE = "course:take"
    BENEFIT_OWN = "benefit:own"
    ORDER_OWN = "order:own"
    ORDER_PLACE = "order:place"
    ORDER_CANCEL_OWN = "order:cancel-own"
    # The back office.
    OFFICE = "office:enter"
    CATALOG_READ = "catalog:read"
    CATALOG_WRITE = "catalog:write"
    ORDER_READ = "order:read"
    ORDER_FULFIL = "order:fulfil"
    RETURN_DECIDE = "return:decide"
    PAYMENT_READ = "payment:read"
    QUIZ_READ = "quiz:read"
    QUIZ_WRITE = "quiz:write"
    COURSE_READ = "course:read"
    COURSE_WRITE = "course:write"
    MEMBER_READ = "member:read"
    BALANCE_ADJUST = "balance:adjust"
    ACTIVITY_RECORD = "activity:record"
    TIER_ASSIGN = "tier:assign"
    BENEFIT_ASSIGN = "benefit:assign"
    MEMBER_TAG = "member:tag"
    WALLET_FREEZE = "wallet:freeze"
    LEDGER_READ = "ledger:read"
    STAFF_READ = "staff:read"
    STAFF_WRITE = "staff:write"
    UNIT_READ = "unit:read"
    UNIT_WRITE = "unit:write"
    PROGRAMME_READ = "programme:read"
    PROGRAMME_WRITE = "programme:write"
    AUDIT_READ = "audit:read"


P = Permission

MEMBER: frozenset[Permission] = frozenset(
    {
        P.PROFILE_OWN,
        P.POINTS_OWN,
        P.CHECKIN_OWN,
        P.REFERRAL_OWN,
        P.SHARE_OWN,
        P.QUIZ_TAKE,
        P.COURSE_TAKE,
        P.BENEFIT_OWN,
        P.ORDER_OWN,
        P.ORDER_PLACE,
        P.ORDER_CANCEL_OWN,
    }
)
ROLES: dict[str, frozenset[Permission]] = {
    "merchant": frozenset(
        {
            P.OFFICE,
            P.CATALOG_READ,
            P.CATALOG_WRITE,
            P.ORDER_READ,
            P.ORDER_FULFIL,
            P.RETURN_DECIDE,
            P.QUIZ_READ,
            P.QUIZ_WRITE,
            P.COURSE_READ,
            P.COURSE_WRITE,
        }
    ),
    "agent": frozenset(
        {
            P.OFFICE,
            P.CATALOG_READ,
            P.ORDER_READ,
            P.RETURN_DECIDE,
            P.PAYMENT_READ,
            P.QUIZ_READ,
            P.COURSE_READ,
            P.MEMBER_READ,
            P.BALANCE_ADJUST,
            P.ACTIVITY_RECORD,
            P.TIER_ASSIGN,
            P.BENEFIT_ASSIGN,
            P.MEMBER_TAG,
            P.WALLET_FREEZE,
        }
    ),
    "auditor": frozenset(
        {
            P.OFFICE,
            P.CATALOG_READ,
            P.ORDER_READ,
            P.PAYMENT_READ,
            P.QUIZ_READ,
            P.COURSE_READ,
            P.MEMBER_READ,
            P.LEDGER_READ,
            P.STAFF_READ,
            P.UNIT_READ,
            P.PROGRAMME_READ,
            P.AUDIT_READ,
        }
    ),
    "owner": frozenset(permission for permission in Permission if permission not in MEMBER),
}

PUBLIC = "public"


def requires(permission: Permission) -> Callable[[V], V]:
    """Declare the permission that a view needs. The guard checks it before the view is called."""

    def declare(view: V) -> V:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def public(view: V) -> V:
    """Declare that anybody may see this page."""
    view.permission = PUBLIC  # type: ignore[attr-defined]
    return view


def declared(endpoint: str) -> Permission | str | None:
    """What the view behind ``endpoint`` declares; ``None`` where it forgot to."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return PUBLIC
    return getattr(current_app.view_functions[endpoint], "permission", None)


def allowed(permission: Permission) -> bool:
    """May the person at the door do this?"""
    return permission in current_user.permissions


def guard() -> ResponseReturnValue | None:
    """Runs before every view."""
    if request.endpoint is None:
        return None  # No such page: Flask answers 404 or 405.
    permission = declared(request.endpoint)
    if permission == PUBLIC:
        return None
    if permission is None:
        raise RuntimeError(f"{request.endpoint} declares no permission.")
    if permission in current_user.permissions:
        return None
    if current_user.is_authenticated:
        abort(403)
    return _to_sign_in(permission)


def _to_sign_in(permission: Permission | str) -> ResponseReturnValue:
    door = "portal.session.new" if permission in MEMBER else "backoffice.session.new"
    # After a POST the address cannot be opened again by GET: come back to the page the form stood on.
    back = request.full_path.rstrip("?") if request.method == "GET" else _page_of_the_form()
    target = url_for(door, next=back)
    if back and request.method != "GET":
        target += KEPT
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": target}
    return redirect(target)


def _page_of_the_form() -> str | None:
    return local_url((request.referrer or "").removeprefix(request.host_url.rstrip("/")), "") or None


def check_declarations(app: Flask) -> None:
    """Refuse to start while a view declares nothing; called once every view is registered."""
    with app.app_context():
        forgotten = sorted(endpoint for endpoint in app.view_functions if declared(endpoint) is None)
    if forgotten:
        raise RuntimeError(f"Declare @requires(…) or @public on: {', '.join(forgotten)}.")


def init_app(app: Flask) -> None:
    app.before_request(guard)
