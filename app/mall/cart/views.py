"""A cart as its owner sees it."""

from __future__ import annotations

from flask import Blueprint, Response

from app.foundation.pages import page, viewer
from app.foundation.permissions import public
from app.identity.session import current_member
from app.mall.cart.queries import pieces_in_cart

cart = Blueprint("cart", __name__, url_prefix="/cart")


@cart.get("")
@public
def index() -> Response:
    pieces = pieces_in_cart(current_member().id) if viewer().kind == "member" else 0
    return page("mall/cart/index.html", pieces=pieces)
