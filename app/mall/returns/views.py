"""A member's returns: ask, see what it would bring, follow, and keep it after all."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.foundation.listing import first_url, next_url
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.mall.returns import queries

returns = Blueprint("returns", __name__)
PAGE = 15


@returns.get("/returns")
@requires(Permission.ORDER_OWN)
def index() -> ResponseReturnValue:
    part = queries.cases_of(current_member().id, after=request.args.get("after"), limit=PAGE)
    return page(
        "mall/returns/index.html",
        fragments={"results"},
        rows=part.items,
        first_url=first_url(),
        next_url=next_url(part),
    )
