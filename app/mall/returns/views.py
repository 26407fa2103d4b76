"""A member's returns: ask, see what it would bring, follow, and keep it after all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.mall.orders.queries import order_by_id, own_order
from app.mall.payments.queries import refund_by_key
from app.mall.returns import actions, pictures, queries
from app.mall.returns.asking import Asking
from app.mall.returns.calling_off import CallingOff
from app.mall.returns.giveable import giveable
from app.mall.returns.models import ReturnCase
from app.mall.returns.rules import NUMBER, OPEN
from app.mall.returns.statements import case_shown, offer, picture_urls, row, ways
from app.mall.returns.walk import Side, limit_uploads

if TYPE_CHECKING:
    from app.mall.orders.models import Order

returns = Blueprint("returns", __name__)
HERE = Side("", "portal.orders.show")
PAGE = 15


def own_order_or_404(number: str) -> Order:
    order = own_order(current_member().id, number) if NUMBER.fullmatch(number) else None
    return order or abort(404)


def own_case_or_404(number: str) -> ReturnCase:
    case = queries.own_case(current_member().id, number) if NUMBER.fullmatch(number) else None
    return case or abort(404)


@returns.get("/returns")
@requires(Permission.ORDER_OWN)
def index() -> ResponseReturnValue:
    part = queries.cases_of(current_member().id, after=request.args.get("after"), limit=PAGE)
    orders = queries.orders_of_cases(part.items)
    return page(
        "mall/returns/index.html",
        fragments={"results"},
        rows=[row(case, orders[case.order_id]) for case in part.items],
        first_url=first_url(),
        next_url=next_url(part),
        orders_url=url_for("portal.orders.index"),
    )


# --- of one order -------------------------------------------------------------------------


@returns.get("/orders/<number>/returns")
@requires(Permission.ORDER_OWN)
def index_of_order(number: str) -> ResponseReturnValue:
    """What can be sent back of an order, and what was; a part of the order's own page."""
    order, now = own_order_or_404(number), clock.now()
    possible, cases = queries.ways_back(order, now=now), queries.cases_of_order(order.id)
    open_ = any(case.state in OPEN for case in cases)
    instead = queries.sent_instead(order.id) if not order.cash and not order.points else None
    left = giveable(order, by=current_member().actor, now=now)
    return page(
        "mall/returns/order.html",
        fragments={"order_returns"},
        number=number,
        order_url=url_for("portal.orders.show", number=number),
        rows=[row(case, order) for case in cases[::-1]],
        text=offer(order, possible, left=left),
        ways=[] if open_ else ways(possible),
        cancellation_url=url_for(".new_cancellation", number=number) if left else None,
        instead=instead.number if instead else None,
    )


@returns.get("/orders/<number>/returns/new")
@requires(Permission.ORDER_OWN)
def new(number: str) -> ResponseReturnValue:
    order = own_order_or_404(number)
    if not queries.ways_back(order, now=clock.now()) or order.return_open:
        return redirect(url_for(".index_of_order", number=number))
    return HERE.show_form(Asking.begin(order, current_member().actor), now=clock.now())


@returns.post("/orders/<number>/returns")
@limit_uploads
@requires(Permission.ORDER_OWN)
def create(number: str) -> ResponseReturnValue:
    return HERE.take_step(Asking.begin(own_order_or_404(number), current_member().actor), now=clock.now())


@returns.get("/orders/<number>/cancellations/new")
@requires(Permission.ORDER_CANCEL_OWN)
def new_cancellation(number: str) -> ResponseReturnValue:
    order, me = own_order_or_404(number), current_member().actor
    if not giveable(order, by=me, now=clock.now()):
        return redirect(url_for(".index_of_order", number=number))
    return HERE.show_form(CallingOff.begin(order, me), now=clock.now())


@returns.post("/orders/<number>/cancellations")
@requires(Permission.ORDER_CANCEL_OWN)
def create_cancellation(number: str) -> ResponseReturnValue:
    return HERE.take_step(CallingOff.begin(own_order_or_404(number), current_member().actor), now=clock.now())


# --- one case -------------------------------------------------------------------------------


@returns.get("/returns/<number>")
@requires(Permission.ORDER_OWN)
def show(number: str) -> ResponseReturnValue:
    case, now = own_case_or_404(number), clock.now()
    order = queries.order_of(case)
    replacement = order_by_id(case.replacement_id).number if case.replacement_id else None
    return page(
        "mall/returns/show.html",
        fragments={"case"},
        case=case_shown(
            case,
            order,
            made=queries.outcome_of(case, order, now=now),
            refund=refund_by_key(queries.refund_key(case)) if case.cash else None,
        ),
        pictures=picture_urls(case, ".show_picture"),
        index_url=url_for(".index"),
        order_number=order.number,
        order_url=url_for("portal.orders.show", number=order.number),
        replacement_url=url_for("portal.orders.show", number=replacement) if replacement else None,
        withdrawal_url=url_for(".create_withdrawal", number=number),
    )


@returns.post("/returns/<number>/withdrawal")
@requires(Permission.ORDER_OWN)
def create_withdrawal(number: str) -> ResponseReturnValue:
    case, member = own_case_or_404(number), current_member()
    try:
        with transaction():
            actions.withdraw(case_id=case.id, by=member.actor, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
    return seen(url_for(".show", number=number))


@returns.get("/returns/<number>/pictures/<int:place>/<size>")
@requires(Permission.ORDER_OWN)
def show_picture(number: str, place: int, size: str) -> Response:
    return pictures.answer(own_case_or_404(number).pictures, place, size)
