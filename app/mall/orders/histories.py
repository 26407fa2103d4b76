"""What happened to an order and to its payments, as a timeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.actors import SYSTEM
from app.foundation.formats import moment, money
from app.foundation.money import Money
from app.mall.orders import states
from app.mall.orders.models import Order

if TYPE_CHECKING:
    from app.mall.payments.models import Payment, Refund

HAPPENED = {
    "placed": _l("Ordered"),
    "paid": _l("Paid"),
    "packed": _l("Packed"),
    "part_shipped": _l("Partly shipped"),
    "shipped": _l("Shipped"),
    "delivered": _l("Received"),
    "completed": _l("Completed"),
    "cancelled": _l("Cancelled"),
    "closed": _l("Closed, because it was not paid in time"),
}


def history(order: Order, payments: Sequence[Payment], at: Mapping[str, datetime]) -> list[dict[str, Any]]:
    """Everything that happened, newest first. ``who`` did it is for colleagues only, so it is not called ``by`` yet."""
    events: list[tuple[datetime, int, Any, str | None, str | None]] = [
        (step.at, step.id, HAPPENED[step.state], step.note or None, _who(step.by)) for step in order.steps
    ]
    for parcel in order.shipments:
        title, text = _("A parcel is on its way"), f"{parcel.carrier} · {parcel.tracking_number}"
        events.append((parcel.shipped_at, 0, title, text, _who(parcel.by)))
    for payment in payments:
        events += [(when, 0, title, None, None) for when, title in _of_payment(order, payment, at)]
    ordered = sorted(events, key=lambda event: event[:2], reverse=True)
    return [
        {"title": str(title), "time": moment(when), "text": text, "who": who, "tone": "brand" if place == 0 else None}
        for place, (when, _id, title, text, who) in enumerate(ordered)
    ]


def _who(label: str) -> str:
    return _("system") if label == SYSTEM.label else label


def _of_payment(order: Order, payment: Payment, at: Mapping[str, datetime]) -> list[tuple[datetime, str]]:
    amount = money(payment.money)
    settled = payment.settled_at
    if settled is None:
        return []
    if payment.state == "failed":
        # Attempts given up because the order ended, or because another one succeeded, are no news.
        ended = {at.get(state) for state in ("paid", *states.ENDED)}
        return [] if settled in ended else [(settled, _("A payment of %(amount)s did not go through", amount=amount))]
    events = [(settled, _("A payment of %(amount)s came too late", amount=amount))] if _is_surplus(payment) else []
    if payment.state == "refunded" and not payment.refunds and payment.refunded_at:
        return [*events, (payment.refunded_at, _("%(amount)s were paid back", amount=amount))]
    return events + [happened for refund in payment.refunds if (happened := _of_refund(refund, payment))]


def _of_refund(refund: Refund, payment: Payment) -> tuple[datetime, str] | None:
    amount = money(Money(refund.amount, payment.currency))
    if refund.settled_at is None:
        return None
    if refund.state == "failed":
        return refund.settled_at, _("%(amount)s could not be paid back; we are seeing to it", amount=amount)
    return refund.settled_at, _("%(amount)s were paid back", amount=amount)


def _is_surplus(payment: Payment) -> bool:
    """Cash that no order waited for: it goes back, or has gone."""
    if payment.refunds:
        return any(refund.reason == "late" for refund in payment.refunds)
    return payment.state == "refunded"  # From before refunds were written down one by one.


def surplus_notice(payments: Sequence[Payment]) -> str | None:
    for payment in payments:
        if not _is_surplus(payment):
            continue
        amount = money(payment.money)
        if payment.state == "refunded":
            return _("Your payment of %(amount)s came too late and was paid back in full.", amount=amount)
        return _("Your payment of %(amount)s came too late. We are paying it back in full.", amount=amount)
    return None
