"""Verbs of orders. Each takes one step of ``states.TRANSITIONS``, writes it down and tells the floors above.

Locks: order → payment → stock → wallet. Whatever of an order moves, its row is locked first.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.mall.orders.coming_back import hold_open, lock_order, note_returned, replace, restock
from app.mall.orders.errors import NotToBeGivenUp
from app.mall.orders.fulfilling import (
    advance,
    can_be_served,
    complete,
    confirm_delivery,
    give_up,
    note_fulfilled,
    pack,
    serve,
    serve_waiting,
)
from app.mall.orders.paying import begin_payment, cancel, close_unpaid, take_payment
from app.mall.orders.placing import PICKUP, needs_address, place
from app.mall.orders.reaching import is_unused
from app.mall.orders.rules import GRACE, Figures
from app.mall.orders.sending import correct_parcel, ship
from app.mall.orders.terms import OrderTerms

__all__ = [
    "GRACE",
    "PICKUP",
    "Figures",
    "NotToBeGivenUp",
    "OrderTerms",
    "advance",
    "begin_payment",
    "can_be_served",
    "cancel",
    "close_unpaid",
    "complete",
    "confirm_delivery",
    "correct_parcel",
    "give_up",
    "hold_open",
    "is_unused",
    "lock_order",
    "needs_address",
    "note_fulfilled",
    "note_returned",
    "pack",
    "place",
    "replace",
    "restock",
    "serve",
    "serve_waiting",
    "ship",
    "take_payment",
]

audit.describe(
    "order",
    _l("Order"),
    {
        "order.packed": _l("Order packed"),
        "order.shipped": _l("Order shipped"),
        "order.parcel-corrected": _l("Parcel corrected"),
        "order.delivered": _l("Order delivered"),
    },
)
