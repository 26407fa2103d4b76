"""Stock that nobody types in: that of some kinds of products is counted elsewhere, and follows from there.

Whoever keeps the pool, the calendar or the orders says here what ties a product to its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from app.foundation.database import LockOrder, db, lock
from app.mall.catalog.errors import KindKept, StockCounted
from app.mall.catalog.models import Product, Variant

Tie = Callable[[Collection[int]], bool]

# Kind → why its stock cannot be typed in.
COUNTED = {
    "code": _l("The stock of a voucher is the number of codes in its pool. Add or withdraw codes there instead."),
    "service": _l("The stock of a service is the number of places at its times. Add or close times there instead."),
}
_ties: list[Tie] = []


def refuse_typed_stock(kind: str, pieces: int) -> None:
    """Raises ``StockCounted`` for pieces, more or fewer, that somebody typed in for such a kind."""
    if pieces and kind in COUNTED:
        raise StockCounted(str(COUNTED[kind]))


def tie(tied: Tie) -> Tie:
    """Register a look at variants: is there something of theirs that another kind could not have?"""
    if tied not in _ties:
        _ties.append(tied)
    return tied


def refuse_other_kind(product: Product, kind: str) -> None:
    """Raises ``KindKept`` where the product is tied to the kind that it is of."""
    if kind == product.kind:
        return
    # Whoever adds codes or times locks them, too: then either they see the new kind, or we see what was added.
    shelves = sa.select(Variant).where(Variant.product_id == product.id).order_by(Variant.id)
    variants = db.session.scalars(lock(LockOrder.STOCK, shelves)).all()
    counted = {kind, product.kind} & COUNTED.keys()
    stocked = any(variant.stock for variant in variants)
    if (counted and stocked) or any(tied([variant.id for variant in variants]) for tied in _ties):
        raise KindKept
