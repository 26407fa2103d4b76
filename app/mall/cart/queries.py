"""What lies in a member's cart."""

from __future__ import annotations

import sqlalchemy as sa

from app.foundation.database import db
from app.mall.cart.models import CartLine
from app.mall.cart.rules import Item


def cart_of(member_id: int) -> list[Item]:
    """What was put in last stands first."""
    mine = sa.select(CartLine.variant_id, CartLine.price_id, CartLine.quantity).where(CartLine.member_id == member_id)
    newest = (CartLine.added_at.desc(), CartLine.variant_id, CartLine.price_id)
    return [Item(*row) for row in db.session.execute(mine.order_by(*newest))]


def pieces_in_cart(member_id: int) -> int:
    """How many pieces lie in it, for the figure beside the cart."""
    mine = sa.select(sa.func.sum(CartLine.quantity)).where(CartLine.member_id == member_id)
    return int(db.session.scalar(mine) or 0)
