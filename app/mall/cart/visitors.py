"""The cart of somebody whom we do not know yet: in a cookie that we signed, because signing in ends the session.

It promises nothing and is looked at afresh each time, so it may be as old as it likes within its days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from flask import current_app, request
from werkzeug.wrappers import Response

from app.identity import tokens
from app.mall.cart.rules import Item

COOKIE = "cart"
KEPT = timedelta(days=30)
MOST_LINES = 20  # A cookie holds 4 KB.

R = TypeVar("R", bound=Response)


def carried(*, now: datetime) -> list[Item]:
    """What lies in the cart that this browser brings; a cart that we did not sign is empty."""
    facts = tokens.read(COOKIE, request.cookies.get(COOKIE, ""), valid_for=KEPT, now=now)
    return [Item(*each) for each in facts["items"]] if facts else []


def carries_some() -> bool:
    return COOKIE in request.cookies


def carry(response: R, items: Sequence[Item], *, now: datetime) -> R:
    facts = {"items": [(item.variant_id, item.price_id, item.quantity) for item in items]}
    response.set_cookie(
        COOKIE,
        tokens.sign(COOKIE, facts, now=now),
        max_age=KEPT,
        httponly=True,
        samesite="Lax",
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
    )
    return response


def forget(response: R) -> R:
    response.delete_cookie(COOKIE)
    return response
