"""A gateway said how a payment ended: the order it belongs to decides what that means."""

from __future__ import annotations

from app.foundation.events import handles
from app.mall.orders.actions import take_payment
from app.mall.payments.events import PaymentReported


@handles(PaymentReported)
def payment_reported(event: PaymentReported) -> None:
    take_payment(order_id=event.order_id, payment_id=event.payment_id, outcome=event.outcome, now=event.at)
