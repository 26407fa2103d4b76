"""A member's orders: pay, follow, give up, confirm the receipt. They are placed at the checkout."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_time
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.kept import kept
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.terms import current
from app.identity.session import current_member
from app.identity.units.queries import unit_names
from app.mall.codes.queries import codes_of_lines
from app.mall.codes.statements import codes_shown
from app.mall.orders import actions, queries
from app.mall.orders.models import Order
from app.mall.orders.rules import is_number
from app.mall.orders.statements import order_shown, row
from app.mall.orders.terms import OrderTerms
from app.mall.payments import actions as payments
from app.mall.payments.queries import payments_of
from app.mall.payments.statements import payment_shown

if TYPE_CHECKING:
    pass

orders = Blueprint("orders", __name__, url_prefix="/orders")
PAGE = 15


# --- the list -----------------------------------------------------------------------------


@orders.get("")
@requires(Permission.ORDER_OWN)
@kept
def index() -> ResponseReturnValue:
    selection = request.args.get("show", "")
    if selection not in queries.SELECTIONS:
        selection = ""
    part = queries.orders_of(current_member().id, selection=selection, after=request.args.get("after"), limit=PAGE)
    return page(
        "mall/orders/index.html",
        fragments={"results"},
        chips=_chips(selection),
        rows=[row(order) for order in part.items],
        filtered=bool(selection),
        all_url=url_for(".index"),
        first_url=first_url(),
        next_url=next_url(part),
        mall_url=url_for("portal.mall.index"),
    )


def _chips(selection: str) -> list[dict[str, Any]]:
    labels = {
        "": _("All"),
        "to-pay": _("To pay"),
        "on-the-way": _("On the way"),
        "received": _("Received"),
        "ended": _("Cancelled"),
    }
    return [
        {"label": label, "url": url_for(".index", show=name or None), "active": name == selection}
        for name, label in labels.items()
    ]


# --- one order ----------------------------------------------------------------------------


def own_order_or_404(number: str) -> Order:
    order = queries.own_order(current_member().id, number) if is_number(number) else None
    return order or abort(404)


@orders.get("/<number>")
@requires(Permission.ORDER_OWN)
def show(number: str) -> ResponseReturnValue:
    order = own_order_or_404(number)
    vouchers = [line.id for line in order.lines if line.kind == "code"]
    codes = codes_of_lines(order.member_id, vouchers) if vouchers else []
    shown = order_shown(
        order,
        payments_of(order.id),
        unit=unit_names().get(order.unit_id, {}),
        terms=current(OrderTerms),
        with_codes=bool(codes),
        now=clock.now(),
    )
    return page(
        "mall/orders/show.html",
        fragments={"order"},
        order=shown,
        codes=codes_shown(codes, now=clock.now()),
        thanks="thanks" in request.args and order.state in ("paid", "delivered"),
        left="left" in request.args and order.state == "placed",
        index_url=url_for(".index"),
        mall_url=url_for("portal.mall.index"),
        payment_url=url_for(".create_payment", number=number),
        cancellation_url=url_for(".create_cancellation", number=number),
        receipt_url=url_for(".create_receipt", number=number),
    )


@orders.get("/lines/<int:line_id>")
@requires(Permission.ORDER_OWN)
def show_of_line(line_id: int) -> ResponseReturnValue:
    """The order that something belongs to which only knows its line."""
    number = queries.number_of_line(current_member().id, line_id) or abort(404)
    return redirect(url_for(".show", number=number))


@orders.get("/<number>/payment")
@requires(Permission.ORDER_OWN)
def show_payment(number: str) -> ResponseReturnValue:
    """Back from paying. Where nobody has told us yet how it ended, the gateway is asked, and the page waits."""
    order = own_order_or_404(number)
    if order.state == "placed":
        _ask_gateway(order.id)
        order = own_order_or_404(number)
    shown = payment_shown(payments_of(order.id)) if order.state == "placed" else None
    if shown is None:
        paid = order.state in ("paid", "delivered")
        return _go_on(url_for(".show", number=number, thanks=1 if paid else None))
    if shown.waiting and request.headers.get("HX-Target") == "payment":
        return "", 204  # Nothing new: htmx leaves the page as it is, and a screen reader in peace.
    return page(
        "mall/payments/show.html",
        fragments={"payment"},
        payment=shown,
        number=number,
        deadline=format_time(order.pay_by, "short"),
        here_url=url_for(".show_payment", number=number),
        order_url=url_for(".show", number=number),
        payment_url=url_for(".create_payment", number=number),
    )


def _ask_gateway(order_id: int) -> None:
    with transaction():
        attempt = payments.ask_about(order_id=order_id, now=clock.now())
    if attempt is not None:
        with suppress(DomainError):  # It does not answer: then we go on waiting for its word.
            attempt.look()
    db.session.rollback()  # What was read before may be history.


def _go_on(url: str) -> ResponseReturnValue:
    """To another page, also from a part of this one that htmx renews."""
    if request.headers.get("HX-Request"):
        return "", 204, {"HX-Redirect": url}
    return redirect(url)


@orders.post("/<number>/payment")
@requires(Permission.ORDER_OWN)
def create_payment(number: str) -> ResponseReturnValue:
    return _pay(own_order_or_404(number))


def _pay(order: Order) -> ResponseReturnValue:
    """Open an attempt, commit, then speak to the gateway with no transaction open: it may take its time."""
    number, description = order.number, _("Order %(number)s", number=order.number)
    back = url_for(".show", number=number)
    with transaction():
        attempt = actions.begin_payment(order_id=order.id, now=clock.now())
    try:
        where = attempt.ask(
            description=description,
            return_url=url_for(".show_payment", number=number),
            cancel_url=url_for(".show", number=number, left=1),
        )
    except DomainError as error:
        flash(str(error), "warning")  # The order stands and can be paid from its page.
        return seen(back)
    return seen(where)


@orders.post("/<number>/cancellation")
@requires(Permission.ORDER_CANCEL_OWN)
def create_cancellation(number: str) -> ResponseReturnValue:
    order, member = own_order_or_404(number), current_member()
    with transaction():
        actions.cancel(order_id=order.id, by=member.actor, now=clock.now())
    return seen(url_for(".show", number=number))


@orders.post("/<number>/receipt")
@requires(Permission.ORDER_OWN)
def create_receipt(number: str) -> ResponseReturnValue:
    order, member = own_order_or_404(number), current_member()
    with transaction():
        actions.confirm_delivery(order_id=order.id, by=member.actor, now=clock.now())
    return seen(url_for(".show", number=number))
