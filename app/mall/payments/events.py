"""What gateways tell us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["paid", "failed"]


@dataclass(frozen=True, slots=True)
class PaymentReported:
    """A gateway said how an attempt ended. Nothing is written yet.

    It may say so twice, late, or while the order is being closed. Whoever owns the order
    locks it first and then calls ``payments.actions.settle``: orders are locked before payments.
    """

    payment_id: int
    order_id: int
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundSettled:
    """Money has gone back (``done``), or could not (``failed``). Written already."""

    refund_id: int
    payment_id: int
    order_id: int
    state: Literal["done", "failed"]
    at: datetime
