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


class OrderShipped(OrderEvent):
    """The parcel is on its way."""


class OrderDelivered(OrderEvent):
    """The member has it; the return window begins."""


class OrderCompleted(OrderEvent):
    """The return window has ended."""


class OrderCancelled(OrderEvent):
    """The member gave it up before paying; stock and points are back."""


class OrderClosed(OrderEvent):
    """It was not paid in time; stock and points are back."""
