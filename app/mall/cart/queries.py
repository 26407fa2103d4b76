"""What lies in a member's cart."""

from __future__ import annotations

import sqlalchemy as sa

from app.foundation.database import db
from app.mall.cart.models import CartLine


def cart_of(member_id: int) -> list[CartLine]:
    """What was put in last stands first."""
    mine = sa.select(CartLine).where(CartLine.member_id == member_id)
    newest = (CartLine.added_at.desc(), CartLine.variant_id, CartLine.price_id)
    return list(db.session.scalars(mine.order_by(*newest).execution_options(populate_existing=True)))


def pieces_in_cart(member_id: int) -> int:
    """How many pieces lie in it, for the badge beside the basket."""
    mine = sa.select(sa.func.sum(CartLine.quantity)).where(CartLine.member_id == member_id)
    return int(db.session.scalar(mine) or 0)
