"""A member's orders: confirm, place, pay, follow, give up, confirm the receipt."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_time
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.formats import money, points
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.listing import first_url, next_url
from app.foundation.money import Money, programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.members.queries import default_address
from app.identity.session import current_member
from app.identity.units.queries import unit_names
from app.loyalty.ledger.queries import standing
from app.mall.catalog.statements import picture_of
from app.mall.orders import actions, queries
from app.mall.orders.errors import PriceChanged
from app.mall.orders.forms import OrderForm, ParcelForm
from app.mall.orders.models import Order
from app.mall.orders.quotes import Quote, Wanted, earns, quote
from app.mall.orders.rules import ADDRESS_PARTS, Figures, is_key, is_number
from app.mall.orders.statements import order_shown, price_of, row
from app.mall.orders.terms import OrderTerms
from app.mall.payments import actions as payments
from app.mall.payments.queries import payments_of, takes_cash
from app.mall.payments.statements import payment_shown

if TYPE_CHECKING:
    from app.identity.members.models import Member

orders = Blueprint("orders", __name__, url_prefix="/orders")
PAGE = 15
WHOLE = re.compile(r"[0-9]{1,15}")


# --- the list -----------------------------------------------------------------------------


@orders.get("")
@requires(Permission.ORDER_OWN)
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


def _number(text: str | None) -> int | None:
    """A whole number from an address or a hidden field; ``None`` for anything else."""
    return int(text) if text and WHOLE.fullmatch(text) else None


# --- ordering -----------------------------------------------------------------------------


def _quote(asked: Mapping[str, str]) -> Quote:
    """Raises as ``quote``."""
    wanted = Wanted(_number(asked.get("variant")), _number(asked.get("price")), _number(asked.get("quantity") or "1"))
    return quote(member_id=current_member().id, wanted=[wanted], now=clock.now())


@orders.get("/new")
@requires(Permission.ORDER_PLACE)
def new() -> ResponseReturnValue:
    try:
        wanted = _quote(request.args)
    except DomainError as error:
        flash(str(error), "warning")
        return redirect(url_for("portal.mall.index"))
    form = _fresh_form(wanted, current_member())
    return _confirmation(form, wanted)


def _fresh_form(wanted: Quote, member: Member) -> OrderForm:
    known = default_address(member.id) if wanted.parcel else None
    address = {part: getattr(known, part) for part in ADDRESS_PARTS} if known else {}
    if wanted.parcel and not address:
        address = {"recipient": member.name, "phone": member.phone or ""}
    return (ParcelForm if wanted.parcel else OrderForm)(
        formdata=None,
        data={
            "key": uuid.uuid4().hex,
            "variant": wanted.lines[0].offer.variant_id,
            "price": wanted.lines[0].price_id,
            "quantity": wanted.lines[0].quantity,
            **address,
        },
    )


def _confirmation(
    form: OrderForm, wanted: Quote, *, status: int = 200, changed: str | None = None
) -> ResponseReturnValue:
    member, figures, line = current_member(), wanted.figures, wanted.lines[0]
    offer = line.offer
    # What the next click compares is what this page shows.
    form.seen_points.data, form.seen_cash.data = str(int(figures.points)), str(figures.cash.amount)
    account = standing(member.id, now=clock.now())
    available, frozen = account.available, account.frozen and bool(figures.points)
    lacking = max(0, int(figures.points) - int(available)) if figures.points else 0
    variant = translated(offer.variant_name)
    price, price_meta = price_of(int(figures.points), figures.cash)
    return page(
        "mall/orders/new.html",
        status=status,
        form=form,
        parcel=wanted.parcel,
        changed=changed,
        name=translated(offer.name),
        meta=f"{variant} · × {wanted.lines[0].quantity}" if variant else f"× {wanted.lines[0].quantity}",
        picture=picture_of(offer.picture),
        price=price,
        price_meta=price_meta,
        figures=_sum(wanted, available),
        has_cash=bool(figures.cash),
        needs_cash=not takes_cash() and bool(figures.cash),
        frozen=frozen,
        lacking=points(lacking) if lacking else None,
        have=min(max(0, int(available)), int(figures.points)),
        need=int(figures.points),
        have_text=f"{points(max(0, int(available)))} / {points(figures.points)}",
        few=offer.stock < wanted.lines[0].quantity,
        stock=offer.stock,
        pay_minutes=current(OrderTerms).pay_within_minutes,
        can_order=not (lacking or frozen)
        and offer.stock >= wanted.lines[0].quantity
        and (takes_cash() or not figures.cash),
        product_url=url_for("portal.mall.show", slug=offer.slug),
        create_url=url_for(".create"),
        checkin_url=url_for("portal.checkin.show"),
        programme_url=url_for("portal.programme.show"),
    )


def _sum(wanted: Quote, available: Points) -> list[tuple[str, ...]]:
    """Every figure of the order, in the order in which they follow from each other."""
    figures, way = wanted.figures, wanted.lines[0].way
    rows: list[tuple[str, ...]] = []
    if wanted.lines[0].quantity > 1:
        if way.points:
            rows.append((_("Points each"), _("%(points)s points", points=points(way.points))))
        if way.cash:
            rows.append((_("Cash each"), money(way.cash)))
    if figures.points:
        rows.append((_("Points you have"), _("%(points)s points", points=points(available))))
        rows.append((_("Points for this order"), f"−{points(figures.points)}", "minus"))
    if figures.points and available >= figures.points:
        rows.append((_("Points you keep"), _("%(points)s points", points=points(available - figures.points))))
    if figures.cash:
        if earned := earns(wanted, member_id=current_member().id, at=clock.now()):
            rows.append((_("You will earn"), f"+{points(earned)}", "plus"))
        rows.append((_("To pay in cash"), money(figures.cash), "total"))
    else:
        rows.append((_("To pay in cash"), _("nothing"), "total"))
    return rows


@orders.post("")
@requires(Permission.ORDER_PLACE)
def create() -> ResponseReturnValue:
    member = current_member()
    key = request.form.get("key", "")
    if is_key(key) and (earlier := queries.order_of_key(member.id, key)):
        # A double click, or the way back and forward again: the order is there already.
        return seen(url_for(".show", number=earlier.number))
    try:
        wanted = _quote(request.form)
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for("portal.mall.index"))
    form = ParcelForm() if wanted.parcel else OrderForm()
    if not form.validate():
        return _confirmation(form, wanted, status=422)
    try:
        order = _place(member, wanted, form)
    except PriceChanged as change:
        return _confirmation(form, _quote(request.form), status=change.status, changed=str(change))
    except DomainError as error:
        refuse(form, error)
        return _confirmation(form, wanted, status=error.status)
    return _pay(order) if order.state == "placed" else seen(url_for(".show", number=order.number, thanks=1))


def _place(member: Member, wanted: Quote, form: OrderForm) -> Order:
    now = clock.now()
    address = form.address if isinstance(form, ParcelForm) else None
    with transaction():
        return actions.place(
            member_id=member.id,
            wanted=[Wanted(line.offer.variant_id, line.price_id, line.quantity) for line in wanted.lines],
            address=address,
            key=form.key.data or "",
            expected=_seen_figures(form),
            now=now,
        )


def _seen_figures(form: OrderForm) -> Figures:
    """What the person saw. Figures that make no sense differ from any price, so they ask again."""
    seen_points, seen_cash = _number(form.seen_points.data), _number(form.seen_cash.data)
    return Figures(Points(seen_points or 0), Money(seen_cash or 0, programme_currency()))


# --- one order ----------------------------------------------------------------------------


def own_order_or_404(number: str) -> Order:
    order = queries.own_order(current_member().id, number) if is_number(number) else None
    return order or abort(404)


@orders.get("/<number>")
@requires(Permission.ORDER_OWN)
def show(number: str) -> ResponseReturnValue:
    order = own_order_or_404(number)
    shown = order_shown(
        order,
        payments_of(order.id),
        unit=unit_names().get(order.unit_id, {}),
        terms=current(OrderTerms),
        now=clock.now(),
    )
    return page(
        "mall/orders/show.html",
        fragments={"order"},
        order=shown,
        thanks="thanks" in request.args and order.state in ("paid", "delivered"),
        left="left" in request.args and order.state == "placed",
        index_url=url_for(".index"),
        mall_url=url_for("portal.mall.index"),
        payment_url=url_for(".create_payment", number=number),
        cancellation_url=url_for(".create_cancellation", number=number),
        receipt_url=url_for(".create_receipt", number=number),
    )


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
