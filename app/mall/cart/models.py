"""Carts 购物车: what members mean to order."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import BigId, Model


class CartLine(Model):
    """So many pieces of a variant, to be paid in one way.

    ``price_id`` is no reference: a way to pay may be taken away while it lies in a cart, and then the member is told.
    """

    __tablename__ = "cart_line"
    __table_args__ = (sa.CheckConstraint("quantity > 0", name="quantity_positive"),)

    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("member.id"), primary_key=True)
    variant_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("variant.id"), primary_key=True)
    price_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    quantity: Mapped[int]
    added_at: Mapped[datetime]
