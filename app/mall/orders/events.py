"""What happened to orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OrderEvent:
    order_id: int
    at: datetime


class OrderPlaced(OrderEvent):
    """Stock is reserved and points are held; cash, if any, is still to be paid."""


class OrderPaid(OrderEvent):
    """Points are spent and the cash part has arrived."""


@dataclass(frozen=True, slots=True)
class ParcelShipped(OrderEvent):
    """A parcel, all of the order or a part of it, is on its way."""

    shipment_id: int


class OrderShipped(OrderEvent):
    """The last parcel is on its way."""


class OrderDelivered(OrderEvent):
    """The member has it; the return window begins."""


class OrderCompleted(OrderEvent):
    """The return window has ended."""


class OrderCancelled(OrderEvent):
    """Given up before anything of it was sent; stock, points and what was paid are back or on their way."""


class OrderClosed(OrderEvent):
    """It was not paid in time; stock and points are back."""
