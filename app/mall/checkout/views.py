"""The checkout: what an order comes to, where it goes, how many points pay, and placing it."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formtools import refuse
from app.foundation.money import Money, programme_currency
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.members.actions import add_address
from app.identity.members.queries import addresses_of, member_by_id, own_address
from app.identity.session import current_member
from app.mall.cart import actions as cart
from app.mall.checkout import statements
from app.mall.checkout.drafts import Asked, Draft, draft, from_cart
from app.mall.checkout.forms import ADDRESS, FIELDS, AddressForm, CheckoutForm
from app.mall.checkout.rules import Line, changed, line_of, lines_of, whole
from app.mall.checkout.statements import NEW
from app.mall.orders import actions as orders
from app.mall.orders.actions import Figures, OrderTerms
from app.mall.orders.errors import AddressMissing, PriceChanged
from app.mall.orders.queries import Wanted, order_of_key
from app.mall.payments.queries import takes_cash
from app.mall.slots.queries import TimeMissing

if TYPE_CHECKING:
    from app.identity.members.models import Address
    from app.mall.orders.models import Order

checkout = Blueprint("checkout", __name__, url_prefix="/checkout")
log = logging.getLogger(__name__)


class Damaged(InvalidInput):
    """The form is not as our page made it."""

    def __init__(self, what: str) -> None:
        log.warning("checkout: %s", what)
        super().__init__(_("This form is damaged. Nothing was ordered; please open the page again."))


class ForeignAddress(InvalidInput):
    def __init__(self) -> None:
        log.warning("checkout: an address that is not the member's own")
        super().__init__(_("This address is not in your address book. Please choose another one."))


class OffsetNotWhole(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please give the points as a whole number."))


# --- looking --------------------------------------------------------------------------------


@checkout.get("")
@requires(Permission.ORDER_PLACE)
def new() -> ResponseReturnValue:
    """Of a unit's part of the cart, or of something that is bought by itself."""
    unit = request.args.get("unit", "")
    try:
        made = _from_cart(unit) if unit else _bought_now()
    except DomainError as error:
        flash(str(error), "warning")
        return redirect(url_for("portal.cart.index" if unit else "portal.mall.index"))
    if not unit and any(each.time for each in made.obstacles) and made.asked.lines[0].slot_id is None:
        flash(str(TimeMissing()), "warning")
        return redirect(_product_url(made))
    return _fresh_page(made)


def _from_cart(unit: str) -> Draft:
    return from_cart(member_id=current_member().id, unit=unit, now=clock.now())


def _bought_now() -> Draft:
    variant, price, slot = (whole(request.args.get(name)) for name in ("variant", "price", "slot"))
    quantity = whole(request.args.get("quantity") or "1")
    # What is no number names nothing: the catalogue refuses it in its own words.
    line = Line(variant or 0, price or 0, quantity or 0, slot_id=slot)
    return draft(member_id=current_member().id, asked=Asked([line]), now=clock.now())


def _fresh_page(made: Draft) -> ResponseReturnValue:
    member = current_member()
    form = CheckoutForm(formdata=None, data={"key": uuid.uuid4().hex, "unit": made.asked.unit})
    known = {"recipient": member.name, "phone": member.phone or ""}
    return _page(made, form, AddressForm(formdata=None, data=known))


@checkout.post("/quote")
@requires(Permission.ORDER_PLACE)
def create_quote() -> ResponseReturnValue:
    """The same page for other choices; nothing is ordered."""
    form, address = CheckoutForm(), AddressForm()
    asked, refusal = _asked()
    made = _draft_or_away(replace(asked, seen=None))
    if not isinstance(made, Draft):
        return made
    for each in filter(None, (refusal, made.refusal)):
        refuse(form, each)
    return _page(made, form, address, status=422 if form.form_errors else 200)


def _draft_or_away(asked: Asked) -> Draft | ResponseReturnValue:
    """Where nothing of it can be had any more, the reason is told where the thing came from."""
    try:
        return draft(member_id=current_member().id, asked=asked, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for("portal.cart.index" if asked.unit else "portal.mall.index"))


def _asked() -> tuple[Asked, InvalidInput | None]:
    """What the form asks for. An offset that is no number counts as none, and is returned as refused.

    Raises ``Damaged``.
    """
    if unknown := set(request.form) - FIELDS:
        raise Damaged(f"the fields {sorted(unknown)[:3]!r} are none of its own")
    lines = lines_of(request.form.getlist("lines"))
    if lines is None:
        raise Damaged("the lines make no sense")
    change = request.form.get("change")
    lines = changed(lines, line_of(change) if change else None)
    typed = request.form.get("offset", "").strip() or "0"
    offset = whole(typed.replace(",", ""))
    asked = Asked(
        lines,
        unit=request.form.get("unit", ""),
        offset=offset or 0,
        delivery=request.form.get("delivery", ""),
        seen=_seen(),
    )
    return asked, OffsetNotWhole() if offset is None else None


def _seen() -> Figures:
    """What the person saw. Figures that make no sense differ from any price, so they ask again."""
    seen_points, seen_cash = whole(request.form.get("seen_points")), whole(request.form.get("seen_cash"))
    return Figures(Points(seen_points or 0), Money(seen_cash or 0, programme_currency()))


# --- the page -------------------------------------------------------------------------------


def _page(made: Draft, form: CheckoutForm, address: AddressForm, *, status: int = 200) -> ResponseReturnValue:
    member, quoted = current_member(), made.quote
    book = addresses_of(member.id) if quoted.parcel else []
    figures = quoted.figures
    lacking = statements.lacking(made)
    frozen = made.standing.frozen and bool(figures.points)
    needs_cash = bool(figures.cash) and not takes_cash()
    return page(
        "mall/checkout/new.html",
        status=status,
        form=form,
        address=address,
        rows=statements.rows(made),
        lines=statements.hidden_lines(made),
        stays=statements.blocked(made.stays),
        blocked=statements.blocked(made.obstacles),
        changes=statements.changes(made),
        parcel=quoted.parcel,
        deliveries=statements.ways_of_delivery(made),
        delivery=quoted.delivery.code if quoted.delivery else "",
        addresses=statements.address_choices(book),
        chosen=_chosen(book),
        new=NEW,
        offset=statements.offset(made),
        offset_seen=made.asked.offset,
        cash_figures=statements.cash_figures(made),
        points_figures=statements.points_figures(made, quoted.earns(member_id=member.id, at=clock.now())),
        seen_points=int(figures.points),
        seen_cash=figures.cash.amount,
        has_cash=bool(figures.cash),
        needs_cash=needs_cash,
        frozen=frozen,
        lacking=lacking,
        can_order=not (lacking or frozen or needs_cash or made.obstacles),
        pay_minutes=current(OrderTerms).pay_within_minutes,
        back_url=url_for("portal.cart.index") if made.asked.unit else _product_url(made),
        back_label=_("Back to the cart") if made.asked.unit else _("Back to the product"),
        times_url=_product_url(made),
        create_url=url_for(".create"),
        quote_url=url_for(".create_quote"),
        checkin_url=url_for("portal.checkin.show"),
        programme_url=url_for("portal.programme.show"),
    )


def _product_url(made: Draft) -> str:
    return url_for("portal.mall.show", slug=made.quote.lines[0].offer.slug)


def _chosen(book: Sequence[Address]) -> str:
    """The address that is marked: what was chosen, else the default."""
    told = request.form.get("address", "")
    if not book or told == NEW:
        return NEW
    return told if told in {str(each.id) for each in book} else str(book[0].id)


# --- placing --------------------------------------------------------------------------------


@checkout.post("")
@requires(Permission.ORDER_PLACE)
def create() -> ResponseReturnValue:
    member, form, address = current_member(), CheckoutForm(), AddressForm()
    if earlier := order_of_key(member.id, (form.key.data or "")[:64]):
        # A double click, or the way back and forward again: the order is there already.
        return seen(url_for("portal.orders.show", number=earlier.number))
    asked, refusal = _asked()
    made = _draft_or_away(asked)
    if not isinstance(made, Draft):
        return made
    for each in filter(None, (refusal, made.refusal)):
        refuse(form, each)
    if form.form_errors or not form.validate() or (_is_new(made) and not address.validate()):
        return _page(made, form, address, status=422)
    if made.obstacles:
        return _page(made, form, address, status=409)
    try:
        order = _place(made, form, address)
    except DomainError as error:
        return _refused(error, asked, form, address)
    session.pop("cart", None)  # The figure beside the cart is counted afresh.
    if _is_new(made):
        _remember(address)
    return _go_on(order)


def _refused(error: DomainError, asked: Asked, form: CheckoutForm, address: AddressForm) -> ResponseReturnValue:
    """The page once more, as things are now: somebody was faster, or a price has changed. Nothing typed is lost."""
    again = _draft_or_away(asked)
    if not isinstance(again, Draft):
        return again
    if not isinstance(error, PriceChanged):
        refuse(form, error)
    return _page(again, form, address, status=error.status)


def _go_on(order: Order) -> ResponseReturnValue:
    if order.state == "placed":
        # The order's own page opens the payment. 307: the browser sends its form on to there.
        return redirect(url_for("portal.orders.create_payment", number=order.number), code=307)
    return seen(url_for("portal.orders.show", number=order.number, thanks=1))


def _is_new(made: Draft) -> bool:
    """Does the parcel go to an address that is typed here?"""
    delivery = made.quote.delivery
    needed = delivery is not None and delivery.code != orders.PICKUP
    return needed and request.form.get("address", NEW) == NEW


def _place(made: Draft, form: CheckoutForm, typed: AddressForm) -> Order:
    now, asked, member_id = clock.now(), made.asked, current_member().id
    wanted = [Wanted(line.variant_id, line.price_id, line.quantity, line.slot_id) for line in asked.lines]
    with transaction():
        destination = _destination(made, typed, member_id)
        order = orders.place(
            member_id=member_id,
            wanted=wanted,
            offset_points=made.quote.bill.offset_points,
            delivery=asked.delivery,
            address=destination,
            key=form.key.data or "",
            expected=asked.seen or made.quote.figures,
            now=now,
        )
        if asked.unit:
            cart.take_out(member_id=member_id, lines=[line.key for line in asked.lines])
        return order


def _remember(typed: AddressForm) -> None:
    """Into the address book; after the order and by itself, as what a complete profile brings takes other locks."""
    member_id = current_member().id
    with suppress(DomainError), transaction():  # A full book loses no order.
        member = member_by_id(member_id)
        if member is not None:
            add_address(member, **typed.parts, now=clock.now())


def _destination(made: Draft, typed: AddressForm, member_id: int) -> dict[str, str] | None:
    """Raises ``ForeignAddress`` and ``AddressMissing``."""
    if _is_new(made):
        return typed.parts
    if made.quote.delivery is None or made.quote.delivery.code == orders.PICKUP:
        return None
    number = whole(request.form.get("address"))
    known = own_address(member_id, number) if number else None
    if known is None:
        raise ForeignAddress if number else AddressMissing
    return {part: getattr(known, part) for part in ADDRESS}
