"""A member's codes: all of them, one in large letters, and the moment from which it cannot be given back."""

from __future__ import annotations

from io import BytesIO

import segno
from flask import Blueprint, Response, abort, request, url_for
from flask.typing import ResponseReturnValue

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.listing import first_url, next_url
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.mall.codes import actions, queries
from app.mall.codes.models import PoolCode
from app.mall.codes.statements import codes_shown, reminder

codes = Blueprint("codes", __name__, url_prefix="/codes")
PAGE = 20


@codes.get("")
@requires(Permission.ORDER_OWN)
def index() -> ResponseReturnValue:
    member_id, now = current_member().id, clock.now()
    part = queries.codes_of_member(member_id, after=request.args.get("after"), limit=PAGE)
    return page(
        "mall/codes/index.html",
        rows=codes_shown(part.items, now=now),
        reminder=reminder(queries.ending_soon(member_id, now=now)),
        first_url=first_url(),
        next_url=next_url(part),
        orders_url=url_for("portal.orders.index"),
        benefits_url=url_for("portal.benefits.index"),
        mall_url=url_for("portal.mall.index"),
    )


def own_code_or_404(code_id: int) -> PoolCode:
    return queries.own_code(current_member().id, code_id) or abort(404)


@codes.get("/<int:code_id>")
@requires(Permission.ORDER_OWN)
def show(code_id: int) -> ResponseReturnValue:
    [shown] = codes_shown([own_code_or_404(code_id)], now=clock.now())
    return page("mall/codes/show.html", code=shown, index_url=url_for(".index"), here_url=shown.url)


@codes.post("/<int:code_id>/opening")
@requires(Permission.ORDER_OWN)
def create_opening(code_id: int) -> ResponseReturnValue:
    member_id = current_member().id
    own_code_or_404(code_id)
    with transaction():
        actions.show_code(code_id=code_id, member_id=member_id, now=clock.now())
    back = local_url(request.form.get("back"), url_for(".show", code_id=code_id))
    return seen(f"{back.partition('#')[0]}#code-{code_id}")


@codes.get("/<int:code_id>/picture.svg")
@requires(Permission.ORDER_OWN)
def picture(code_id: int) -> ResponseReturnValue:
    """A code that was shown as a QR picture. Only attributes, no styles: the Content-Security-Policy stays strict."""
    code = own_code_or_404(code_id)
    if code.shown_at is None:
        abort(404)
    drawn = BytesIO()
    segno.make(code.code, error="m", micro=False).save(
        drawn, kind="svg", scale=8, border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False
    )
    return Response(drawn.getvalue(), mimetype="image/svg+xml", headers={"Cache-Control": "private, no-store"})
