"""What a visitor brings along to joining: the code of who invited them, and which browser it is.

Who invites, and what comes of it, is a matter of a higher floor; here a code is only remembered, checked by
whoever recognises it, and carried through the registration into ``MemberJoined``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from flask import current_app, g, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.foundation.errors import InvalidInput
from app.identity import tokens

COOKIE, DEVICE = "invitation", "device"
LONGEST = timedelta(days=365)
DEVICE_KEPT = timedelta(days=365)
LONGEST_CODE = 16

R = TypeVar("R", bound=Response)
Check = Callable[[str], bool]
_checks: list[Check] = []


def recognises(check: Check) -> Check:
    """Register who can tell a code of theirs from nonsense."""
    if check not in _checks:
        _checks.append(check)
    return check


def recognised(code: str) -> str:
    """The code as it is kept. Raises ``InvalidInput`` when nobody knows it."""
    kept = "".join(sign for sign in code.upper() if sign.isalnum())
    if len(kept) > LONGEST_CODE or not any(check(kept) for check in _checks):
        raise InvalidInput(_("We do not know this invitation code. Please look again, or leave it empty."))
    return kept


def remember(response: R, code: str, *, keep_for: timedelta, now: datetime) -> R:
    """This browser was invited by ``code``; the latest invitation counts."""
    token = tokens.sign("invitation", {"c": code, "d": keep_for.days}, now=now)
    return _keep(response, COOKIE, token, keep_for)


def remembered(*, now: datetime) -> str:
    """The code that this browser was invited by, if that is not too long ago, else an empty text."""
    facts = tokens.read("invitation", request.cookies.get(COOKIE, ""), valid_for=LONGEST, now=now)
    if facts is None:
        return ""
    age = now.timestamp() - facts["at"]
    return str(facts["c"]) if age <= timedelta(days=facts["d"]).total_seconds() else ""


def forget(response: R) -> R:
    response.delete_cookie(COOKIE)
    return response


def device() -> str:
    """The browser's name as we keep it: a keyed hash, which is worth nothing to anybody else.

    A browser without a name gets a random one, which it keeps if the answer goes through ``mark``.
    """
    return tokens.digest("device", _name())


def brought_name() -> bool:
    """Does this browser keep its name? Who only fetches pages to look at them, as programs do, keeps none."""
    return bool(request.cookies.get(DEVICE))


def mark(response: R) -> R:
    """Let the browser keep its name, so that it is known again."""
    return response if request.cookies.get(DEVICE) else _keep(response, DEVICE, _name(), DEVICE_KEPT)


def _name() -> str:
    if "device" not in g:
        g.device = request.cookies.get(DEVICE, "")[:64] or secrets.token_urlsafe(16)
    return str(g.device)


def _keep(response: R, name: str, value: str, period: timedelta) -> R:
    response.set_cookie(
        name,
        value,
        max_age=period,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
    return response
