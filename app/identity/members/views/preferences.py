"""The language, for members, staff and visitors alike."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.config import LOCALES
from app.foundation.database import transaction
from app.foundation.languages import COOKIE
from app.foundation.pages import local_url, seen
from app.foundation.permissions import public
from app.identity.members.actions import change_language

preferences = Blueprint("preferences", __name__)

YEAR = 365 * 24 * 60 * 60


@preferences.post("/preferences/language")
@public
def update_language() -> ResponseReturnValue:
    locale = request.form.get("locale", "")
    if locale not in LOCALES:
        abort(400)
    if current_user.is_authenticated and current_user.locale != locale:
        with transaction():
            change_language(current_user, locale=locale)
    response = seen(local_url(request.form.get("next"), "/"))
    # Also for who is signed in: the sign-in page after the session's end still speaks their language.
    response.set_cookie(
        COOKIE,
        locale,
        max_age=YEAR,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
    )
    return response
