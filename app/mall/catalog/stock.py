"""Pieces on the shelf. Every change is written down, and none ends below zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm.attributes import set_committed_value

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, any_of, db, lock
from app.foundation.errors import InvalidInput
from app.mall.catalog.counted import refuse_typed_stock
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
    return change_stocks(changes={variant_id: change}, reason=reason, reference=reference, by=by, now=now)[0]


def change_stock_by_hand(
    *, variant_id: int, change: int, reason: str, reference: str = "", by: Actor, now: datetime
) -> StockMovement:
    """The same as somebody types it in. Raises ``StockCounted`` where the stock follows from something else."""
    variant = db.session.get_one(Variant, variant_id)
    refuse_typed_stock(db.session.get_one(Product, variant.product_id).kind, change)
    return change_stock(variant_id=variant_id, change=change, reason=reason, reference=reference, by=by, now=now)


def change_stocks(
    *, changes: Mapping[int, int], reason: str, reference: str = "", by: Actor, now: datetime
) -> list[StockMovement]:
    """The same for many variants, all or none, by a handful of statements; they are locked by id."""
    shelves = sa.select(Variant).where(any_of(Variant.id, changes)).order_by(Variant.id)
    variants = db.session.scalars(lock(LockOrder.STOCK, shelves)).all()
    left = _move(changes)
    for variant in variants:
        if variant.id not in left:
            _refuse(variant, changes[variant.id])
        set_committed_value(variant, "stock", left[variant.id])
        if by.kind == "staff":
            product = db.session.get_one(Product, variant.product_id)
            audit.record(
                "stock.change",
                subject=subject_of(product),
                by=by,
                now=now,
                before={"stock": variant.stock - changes[variant.id]},
                after={"sku": variant.sku, "stock": variant.stock, "reason": reason, "reference": reference},
            )
    return [
        note_movement(
            each, change=changes[each.id], stock=left[each.id], reason=reason, reference=reference, by=by, now=now
        )
        for each in variants
    ]


def _move(changes: Mapping[int, int]) -> dict[int, int]:
    """Change what the database has, and return what that is now; left out is what would be too little or too much."""
    moved = Variant.stock + sa.case(dict(changes), value=Variant.id)
    possible = sa.update(Variant).where(any_of(Variant.id, changes), moved.between(0, MOST_STOCK))
    changed = possible.values(stock=moved).returning(Variant.id, Variant.stock)
    return dict(db.session.execute(changed, execution_options={"synchronize_session": False}).all())


def _refuse(variant: Variant, change: int) -> None:
    if change > 0:
        raise InvalidInput(_("That would be more pieces than we can count. Please check the figure."))
    raise OutOfStock(full_name(db.session.get_one(Product, variant.product_id), variant), variant.stock)


def set_stock(*, variant_id: int, pieces: int, reason: str, reference: str = "", by: Actor, now: datetime) -> None:
    """Make it so many pieces; nothing is written down where it is so many already. Raises as ``change_stock``."""
    variant = db.session.scalars(lock(LockOrder.STOCK, sa.select(Variant).where(Variant.id == variant_id))).one()
    if change := pieces - variant.stock:
        change_stock(variant_id=variant_id, change=change, reason=reason, reference=reference, by=by, now=now)


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
