"""The cart as its owner sees it: a member's, or that of a visitor, which comes along when they sign in."""

from __future__ import annotations

import re

from flask import Blueprint, Response, after_this_request, flash, make_response, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup, escape

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import points
from app.foundation.pages import local_url, page, seen, viewer
from app.foundation.permissions import public
from app.identity.session import current_member
from app.loyalty.ledger.queries import standing
from app.mall.cart import actions, visitors
from app.mall.cart.queries import cart_of, pieces_in_cart
from app.mall.cart.rules import Item, together
from app.mall.cart.statements import shops_of
from app.mall.catalog.queries import most_pieces
from app.mall.orders.errors import InvalidQuantity, NotOffered

LARGEST = 2**63 - 1
IDS = f"<int(max={LARGEST}):variant>/<int(max={LARGEST}):price>"
cart = Blueprint("cart", __name__, url_prefix="/cart")
WHOLE = re.compile(r"[0-9]{1,15}")
COUNTED = "cart"  # Where the session remembers how many pieces the header shows.


def member_id() -> int | None:
    return current_member().id if viewer().kind == "member" else None


# --- for every page -------------------------------------------------------------------------


def bring_along() -> None:
    """Whoever has signed in since they filled a cart finds it filled."""
    me = member_id() if visitors.carries_some() else None
    if me is None:
        return
    now = clock.now()
    if items := visitors.carried(now=now):
        with transaction():
            actions.bring_along(member_id=me, items=items, now=now)
        count_afresh()
    after_this_request(visitors.forget)


def pieces() -> int:
    """The figure beside the cart in the mall's header: one query, and none as long as this browser changes nothing.

    What another device puts in is counted as soon as the cart is looked at.
    """
    me = member_id()
    if me is None:
        return sum(item.quantity for item in visitors.carried(now=clock.now()))
    if COUNTED not in session:
        session[COUNTED] = pieces_in_cart(me)
    return int(session[COUNTED])


def count_afresh() -> None:
    """After whatever changed the cart."""
    session.pop(COUNTED, None)


# --- the cart -------------------------------------------------------------------------------


@cart.get("")
@public
def index() -> ResponseReturnValue:
    me, now = member_id(), clock.now()
    items = cart_of(me) if me else visitors.carried(now=now)
    if me:
        session[COUNTED] = sum(item.quantity for item in items)
    return page(
        "mall/cart/index.html",
        shops=shops_of(items, member_id=me, now=now),
        points_text=points(max(0, int(standing(me, now=now).available))) if me and items else None,
        sign_in_url=url_for("portal.session.new", next=url_for(".index")) if viewer().kind == "visitor" else None,
        for_members=viewer().kind == "member",
        mall_url=url_for("portal.mall.index"),
        wishes_url=url_for("portal.mall.wishes") if me else None,
    )


@cart.post("")
@public
def create() -> ResponseReturnValue:
    """Put something in; or, with ``now``, go and order it alone."""
    variant, price, quantity = (request.form.get(name, "") for name in ("variant", "price", "quantity"))
    if "now" in request.form:
        return seen(url_for("portal.checkout.new", variant=variant, price=price, quantity=quantity))
    back = local_url(request.form.get("next"), url_for("portal.mall.index"))
    try:
        item = _item(variant, price, quantity or "1")
        response = make_response(seen(back))
        _put_in(item, response)
    except DomainError as error:
        flash(str(error), "warning")
        return seen(back)
    there = Markup('<a href="{}">{}</a>').format(url_for(".index"), _("Go to your cart"))
    flash(Markup("{} {}").format(escape(_("It lies in your cart.")), there), "success")
    return response


def _item(variant: str, price: str, quantity: str) -> Item:
    """Raises ``NotOffered`` and ``InvalidQuantity``."""
    if not WHOLE.fullmatch(variant) or not WHOLE.fullmatch(price):
        raise NotOffered
    return Item(int(variant), int(price), _quantity(quantity))


def _quantity(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise InvalidQuantity(most_pieces())
    return int(text)


def _put_in(item: Item, response: Response) -> None:
    me, now = member_id(), clock.now()
    if me:
        with transaction():
            actions.put_in(
                member_id=me, variant_id=item.variant_id, price_id=item.price_id, quantity=item.quantity, now=now
            )
        count_afresh()
        return
    actions.refuse_nonsense(item, now=now)
    items = together(visitors.carried(now=now), item, most=most_pieces())
    if len(items) > visitors.MOST_LINES:
        raise actions.CartFull(visitors.MOST_LINES)
    visitors.carry(response, items, now=now)


@cart.post(f"/lines/{IDS}")
@public
def update(variant: int, price: int) -> ResponseReturnValue:
    try:
        return _changed(Item(variant, price, _quantity(request.form.get("quantity", ""))))
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for(".index"))


@cart.post(f"/lines/{IDS}/removal")
@public
def destroy(variant: int, price: int) -> ResponseReturnValue:
    return _changed(Item(variant, price, 0))


def _changed(changed: Item) -> ResponseReturnValue:
    """So many pieces from now on. Raises ``InvalidQuantity``."""
    me, now, response = member_id(), clock.now(), make_response(seen(url_for(".index")))
    if me:
        with transaction():
            actions.set_quantity(
                member_id=me, variant_id=changed.variant_id, price_id=changed.price_id, quantity=changed.quantity
            )
        count_afresh()
        return response
    if changed.quantity > most_pieces():
        raise InvalidQuantity(most_pieces())
    items = [changed if item.key == changed.key else item for item in visitors.carried(now=now)]
    return visitors.carry(response, [item for item in items if item.quantity], now=now)
