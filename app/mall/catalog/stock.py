"""Pieces on the shelf. Every change is written down, and none ends below zero."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, lock
from app.foundation.errors import InvalidInput
from app.mall.catalog.errors import OutOfStock
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.names import full_name, subject_of
from app.mall.catalog.rules import MOST_STOCK


def change_stock(
    *, variant_id: int, change: int, reason: str, reference: str = "", by: Actor, now: datetime
) -> StockMovement:
    """Add ``change`` pieces, or take them when negative. ``reason`` is order, release, delivery or correction.

    Raises ``OutOfStock`` when fewer pieces are there, ``InvalidInput`` when there would be absurdly many.
    """
    variant = db.session.scalars(lock(LockOrder.STOCK, sa.select(Variant).where(Variant.id == variant_id))).one()
    product = db.session.get_one(Product, variant.product_id)
    stock = db.session.scalar(
        sa.update(Variant)
        .where(Variant.id == variant_id, (Variant.stock + change).between(0, MOST_STOCK))
        .values(stock=Variant.stock + change)
        .returning(Variant.stock)
        .execution_options(synchronize_session=False)
    )
    if stock is None and change > 0:
        raise InvalidInput(_("That would be more pieces than we can count. Please check the figure."))
    if stock is None:
        raise OutOfStock(full_name(product, variant), variant.stock)
    db.session.refresh(variant, ["stock"])
    if by.kind == "staff":
        audit.record(
            "stock.change",
            subject=subject_of(product),
            by=by,
            now=now,
            before={"stock": stock - change},
            after={"sku": variant.sku, "stock": stock, "reason": reason, "reference": reference},
        )
    return note_movement(variant, change=change, stock=stock, reason=reason, reference=reference, by=by, now=now)


def note_movement(
    variant: Variant, *, change: int, stock: int, reason: str, reference: str = "", by: Actor, now: datetime
) -> StockMovement:
    """Write down a change that was made."""
    movement = StockMovement(
        variant_id=variant.id,
        member_id=by.id if by.kind == "member" else None,
        change=change,
        stock_after=stock,
        reason=reason,
        reference=reference,
        by=by.label,
        at=now,
    )
    db.session.add(movement)
    return movement
