"""Payments as pages show them: plain values, ready to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import moment, money
from app.foundation.money import Money
from app.mall.payments.models import Payment, PaymentEvent, Refund

STATES = {
    "open": (_l("Waiting"), "gold"),
    "paid": (_l("Paid"), "brand"),
    "failed": (_l("Not paid"), "neutral"),
    "refunded": (_l("Paid back"), "info"),
}
REFUND_STATES = {
    "asked": (_l("Asked for"), "gold"),
    "pending": (_l("On its way"), "gold"),
    "done": (_l("Paid back"), "info"),
    "failed": (_l("Failed"), "danger"),
}
REASONS = {
    "late": _l("Came too late"),
    "return": _l("Return"),
    "staff": _l("By hand"),
    "gateway": _l("By hand, at the gateway"),
}
LONGEST = 32
GATEWAYS = {"stripe": "Stripe", "sandbox": _l("Test payment")}


@dataclass(frozen=True, slots=True)
class PaymentShown:
    """What somebody reads who has just come back from paying."""

    waiting: bool
    title: str
    text: str
    picture: str
    amount: str


@dataclass(frozen=True, slots=True)
class Row:
    """Money that came or went, for colleagues. ``url`` is the gateway's own page about it."""

    title: str
    amount: str
    state: str
    tone: str
    when: str
    reference: str
    url: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    type: str
    event_id: str
    about: str
    url: str | None
    received: str
    state: str
    tone: str
    error: str | None


def payment_shown(payments: Sequence[Payment]) -> PaymentShown | None:
    """Where the last attempt stands, as long as it has brought nothing; else ``None``."""
    if not payments or payments[-1].state not in ("open", "failed"):
        return None
    last = payments[-1]
    if last.state == "open":
        return PaymentShown(
            True,
            _("We are waiting for the confirmation"),
            _("As soon as the payment service has told us that your payment is there, this page goes on by itself."),
            "hourglass",
            money(last.money),
        )
    return PaymentShown(
        False,
        _("The payment did not go through"),
        _("Nothing was taken. Your points and the goods are still set aside for you."),
        "credit-card",
        money(last.money),
    )


def payment_rows(payment: Payment) -> list[Row]:
    """An attempt, and below it what was given back of it."""
    return [_paid(payment), *(refund_row(refund, payment) for refund in payment.refunds)]


def _paid(payment: Payment) -> Row:
    label, tone = STATES[payment.state]
    return Row(
        title=str(GATEWAYS.get(payment.gateway, payment.gateway)),
        amount=money(payment.money),
        state=str(label),
        tone=tone,
        when=moment(payment.settled_at or payment.opened_at, "short"),
        reference=payment.intent_id or payment.session_id or payment.reference,
        url=_page_of(payment),
        note=None,
    )


def refund_row(refund: Refund, payment: Payment) -> Row:
    label, tone = REFUND_STATES[refund.state]
    return Row(
        title=str(REASONS[refund.reason]),
        amount=f"−{money(Money(refund.amount, payment.currency))}",
        state=str(label),
        tone=tone,
        when=moment(refund.settled_at or refund.created_at, "short"),
        reference=refund.number or refund.key,
        url=_page_of(payment),
        note=refund.error,
    )


def _page_of(payment: Payment) -> str | None:
    return _dashboard(f"payments/{payment.intent_id}") if payment.gateway == "stripe" and payment.intent_id else None


def _dashboard(place: str) -> str:
    test = "_test_" in current_app.config["SETTINGS"].stripe_secret_key[:8]
    return f"https://dashboard.stripe.com/{'test/' if test else ''}{place}"


def _short(number: str) -> str:
    """Stripe's names of sessions are longer than a phone is wide; beginning and end tell them apart."""
    return number if len(number) <= LONGEST else f"{number[:12]}…{number[-10:]}"


def event_row(event: PaymentEvent) -> EventRow:
    if event.processed_at is None:
        state, tone = _("Not processed"), "danger"
    elif event.error:
        state, tone = _("See to it"), "gold"
    else:
        state, tone = _("Processed"), "neutral"
    return EventRow(
        type=event.type,
        event_id=event.event_id,
        about=_short(event.object_id),
        url=_dashboard(f"events/{event.event_id}") if event.gateway == "stripe" else None,
        received=moment(event.received_at, "short"),
        state=state,
        tone=tone,
        error=event.error,
    )
