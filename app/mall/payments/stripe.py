"""Stripe's hosted Checkout: the member pays on Stripe's page, and Stripe tells us by webhook how it ended.

A session at Stripe belongs to one of our attempts and carries its reference. What a webhook says is never believed;
it is asked again here. Requests carry idempotency keys made of what they are about, so that a repeated
request is the same request.

Sources: https://docs.stripe.com/api/checkout/sessions, https://docs.stripe.com/api/refunds,
https://docs.stripe.com/api/idempotent_requests
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import stripe
from flask import current_app
from flask_babel import gettext as _
from stripe.checkout import Session

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.errors import NotFound
from app.foundation.languages import current_locale
from app.foundation.money import Money
from app.mall.payments import actions, gateways, queries, rules
from app.mall.payments.errors import AmountDiffers
from app.mall.payments.events import Outcome
from app.mall.payments.gateways import GatewayRefused, GatewayUnavailable, RefundAnswer, RefundOrder, RefundState
from app.mall.payments.models import Payment

log = logging.getLogger(__name__)

NAME = "stripe"
TIMEOUT = (4, 12)  # Seconds to connect, and to wait for an answer.
RETRIES = 1  # By the library, with the same idempotency key. Whatever takes longer is for our own jobs.
REFUNDS = 100  # A payment with more refunds than one page of a list is a mistake.

_LOCALES = {"en": "en", "zh_Hans": "zh", "zh_Hant": "zh-TW"}
_REFUND_STATES: dict[str, RefundState] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "done",
    "failed": "failed",
    "canceled": "failed",
}
_BUSY = (409, 429)  # Somebody else holds the key or the object, or we ask too often: nothing was done.


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What Stripe says of a session now. ``outcome`` is ``None`` while it is open or the bank is thinking."""

    session_id: str
    reference: str
    intent_id: str | None
    amount: Money
    outcome: Outcome | None
    url: str | None


@dataclass(frozen=True, slots=True)
class RefundFacts:
    """What Stripe says of a refund now. ``key`` is ours where we asked for it."""

    reference: str
    key: str
    amount: Money
    answer: RefundAnswer


@gateways.gateway(NAME)
def _of_this_application() -> Stripe:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if "stripe" not in app.extensions:
        app.extensions["stripe"] = Stripe.from_settings(app.config["SETTINGS"])
    made: Stripe = app.extensions["stripe"]
    return made


class Stripe:
    """A ``Gateway``. One per application: it keeps connections open."""

    def __init__(self, client: stripe.StripeClient, *, methods: tuple[str, ...], home: str) -> None:
        self.client, self.methods, self.home = client, methods, home

    @classmethod
    def from_settings(cls, settings: Any) -> Stripe:
        client = stripe.StripeClient(
            settings.stripe_secret_key,
            base_addresses={"api": settings.stripe_api_base} if settings.stripe_api_base else None,
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )
        return cls(client, methods=settings.stripe_methods, home=settings.public_url.rstrip("/"))

    def least(self, currency: str) -> Money:
        return rules.least(currency)

    def collects(self, amount: Money) -> bool:
        return rules.collectable(amount)

    # --- the page to pay on ---

    def open_payment(self, *, reference: str, amount: Money, description: str, return_url: str, cancel_url: str) -> str:
        session_id, expires_at = _opened(reference)
        if session_id:
            facts = self.session(session_id)
            if facts.url:
                return facts.url
            self._record(facts)  # It has expired, or the money is already there: our page says which.
            return return_url
        try:
            with _speaking("open", reference):
                made = self.client.v1.checkout.sessions.create(
                    self._session_of(
                        reference=reference,
                        amount=amount,
                        description=description,
                        expires_at=expires_at,
                        return_url=return_url,
                        cancel_url=cancel_url,
                    ),  # type: ignore[arg-type]
                    {"idempotency_key": f"payment:{reference}"},
                )
        except _Answered as error:
            # The key keeps this answer for a day. The attempt ends here, so that the next click makes a new one.
            _end(reference)
            raise error.as_domain_error() from error
        return self._hand_over(reference, made)

    def _session_of(
        self, *, reference: str, amount: Money, description: str, expires_at: datetime, return_url: str, cancel_url: str
    ) -> dict[str, Any]:
        product = {"name": description}
        price = {
            "currency": amount.currency.lower(),
            "unit_amount": rules.to_stripe(amount),
            "product_data": product,
        }
        wanted: dict[str, Any] = {
            "mode": "payment",
            "client_reference_id": reference,
            "line_items": [{"quantity": 1, "price_data": price}],
            "allowed_payment_method_types": list(self.methods),
            "payment_intent_data": {"description": description, "metadata": {"reference": reference}},
            "metadata": {"reference": reference},
            # Another currency would be another amount than the one in our books.
            "adaptive_pricing": {"enabled": False},
            "success_url": self.home + return_url,
            "cancel_url": self.home + cancel_url,
            "expires_at": int(expires_at.timestamp()),
            "locale": _LOCALES.get(current_locale(), "auto"),
        }
        if "wechat_pay" in self.methods:
            wanted["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        return wanted

    def _hand_over(self, reference: str, made: Session) -> str:
        with transaction():
            state = actions.note_session(gateway=NAME, reference=reference, session_id=made.id)
        if state != "open" or not made.url:
            # The order ended while Stripe was making the page: nobody may pay there.
            self.close_payment(reference=reference)
            raise GatewayRefused("The order ended meanwhile.")
        return made.url

    def close_payment(self, *, reference: str) -> None:
        session_id, _expires_at = _opened(reference)
        if session_id is None:
            with transaction():  # Nobody knows the address of a page that we have not heard of.
                actions.note_final(gateway=NAME, reference=reference, now=clock.now())
            return
        try:
            with _speaking("close", reference):
                ended = self.client.v1.checkout.sessions.expire(session_id)
        except _Answered as error:
            if error.status >= 500:
                raise GatewayUnavailable from error
            self.look(reference=reference)  # It was paid, or has expired: one of the two.
        else:
            self._record(_facts_of(ended))

    # --- asking ---

    def look(self, *, reference: str) -> None:
        session_id, _expires_at = _opened(reference)
        if session_id is not None:
            self._record(self.session(session_id))

    def session(self, session_id: str) -> SessionFacts:
        """How a session stands. Raises ``GatewayUnavailable``, or ``NotFound`` where Stripe knows no such session."""
        with _asking("session", session_id):
            found = self.client.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent"]})
        return _facts_of(found)

    def _record(self, facts: SessionFacts) -> None:
        with transaction():
            record_session(facts, now=clock.now())

    def refund_facts(self, number: str) -> RefundFacts | None:
        """How a refund stands; ``None`` if it is not of a payment of ours. Raises as ``session``."""
        with _asking("refund", number):
            found = self.client.v1.refunds.retrieve(number, {"expand": ["payment_intent"]})
        intent = found.payment_intent
        reference = "" if intent is None or isinstance(intent, str) else _noted(intent, "reference")
        if not reference:
            return None
        amount = rules.from_stripe(found.amount, found.currency)
        return RefundFacts(reference, _noted(found, "refund"), amount, _answer_of(found))

    # --- giving back ---

    def refund(self, order: RefundOrder) -> RefundAnswer:
        if order.number:
            with _asking("refund", order.number):
                return _answer_of(self.client.v1.refunds.retrieve(order.number))
        if order.intent_id is None:
            raise GatewayRefused("Stripe's name of this payment is not known.")
        if known := self._refund_of(order):
            return _answer_of(known)
        try:
            with _speaking("refund", order.key):
                made = self.client.v1.refunds.create(
                    {
                        "payment_intent": order.intent_id,
                        "amount": rules.to_stripe(order.amount),
                        "metadata": {"refund": order.key, "reference": order.reference},
                    },
                    # A refusal is kept under the key for a day, so a try after one is another request.
                    {"idempotency_key": f"refund:{order.key}:{order.tries}"},
                )
        except _Answered as error:
            raise GatewayRefused(str(error)) from error
        return _answer_of(made)

    def _refund_of(self, order: RefundOrder) -> stripe.Refund | None:
        """The refund, if an earlier request came through whose answer we never read."""
        with _asking("refunds", order.key):
            made = self.client.v1.refunds.list({"payment_intent": str(order.intent_id), "limit": REFUNDS})
        return next((refund for refund in made.data if _noted(refund, "refund") == order.key), None)


# --- reading Stripe's answers --------------------------------------------------------------------


def _facts_of(found: Session) -> SessionFacts:
    intent = found.payment_intent
    status = None if intent is None or isinstance(intent, str) else intent.status
    return SessionFacts(
        session_id=found.id,
        reference=found.client_reference_id or "",
        intent_id=intent if intent is None or isinstance(intent, str) else intent.id,
        amount=rules.from_stripe(found.amount_total or 0, found.currency or ""),
        outcome=_outcome(found.status, found.payment_status, status),
        url=found.url if found.status == "open" else None,
    )


def _outcome(session: str | None, payment: str, intent: str | None) -> Outcome | None:
    if payment == "paid":
        return "paid"
    if session == "expired":
        return "failed"
    if session == "complete" and intent in ("requires_payment_method", "canceled"):
        return "failed"  # A payment that takes its time did not come.
    return None


def _noted(found: stripe.PaymentIntent | stripe.Refund, name: str) -> str:
    """What we wrote onto an object of Stripe's."""
    return str(found.metadata.to_dict().get(name, "")) if found.metadata else ""


def _answer_of(found: stripe.Refund) -> RefundAnswer:
    state = _REFUND_STATES.get(found.status or "", "pending")
    return RefundAnswer(found.id, state, (found.failure_reason or found.status) if state == "failed" else None)


# --- writing down what they say -------------------------------------------------------------------


def record_session(facts: SessionFacts, *, now: datetime) -> None:
    """Book what Stripe says of a session. Raises ``NotFound`` if it is not of ours, and ``AmountDiffers``."""
    ours = db.session.execute(
        sa.select(Payment.amount, Payment.currency).where(Payment.gateway == NAME, Payment.reference == facts.reference)
    ).one_or_none()
    if ours is None:
        raise NotFound(_("There is no such payment."))
    if facts.outcome == "paid" and facts.amount != Money(*ours):
        raise AmountDiffers(facts.amount, Money(*ours))
    if facts.outcome:
        actions.record_outcome(gateway=NAME, reference=facts.reference, outcome=facts.outcome, now=now)
    actions.note_session(
        gateway=NAME, reference=facts.reference, session_id=facts.session_id, intent_id=facts.intent_id
    )
    if facts.outcome:
        actions.note_final(gateway=NAME, reference=facts.reference, now=now)


def record_refund(facts: RefundFacts, *, now: datetime) -> None:
    """Book what Stripe says of a refund, whoever asked for it."""
    ours = queries.refund_by_key(facts.key) if facts.key else None
    if ours is not None and ours.number in (None, facts.answer.number):
        actions.record_refund(refund_id=ours.id, answer=facts.answer, now=now)
        return
    actions.adopt_refund(gateway=NAME, reference=facts.reference, answer=facts.answer, amount=facts.amount, now=now)


def _opened(reference: str) -> tuple[str | None, datetime]:
    """(Stripe's name of the session, until when it may live)"""
    row = db.session.execute(
        sa.select(Payment.session_id, Payment.expires_at, Payment.opened_at).where(
            Payment.gateway == NAME, Payment.reference == reference
        )
    ).one()
    db.session.rollback()  # Speaking to Stripe takes time; hold no transaction open meanwhile.
    return row.session_id, row.expires_at or rules.session_ends(opened_at=row.opened_at, pay_by=row.opened_at)


def _end(reference: str) -> None:
    now = clock.now()
    with transaction():
        actions.record_outcome(gateway=NAME, reference=reference, outcome="failed", now=now)
        actions.note_final(gateway=NAME, reference=reference, now=now)


# --- what may go wrong on the way ------------------------------------------------------------------


class _Answered(Exception):
    """Stripe has answered, and the answer is no (4xx) or an error of its own (5xx)."""

    def __init__(self, error: stripe.StripeError) -> None:
        self.status = error.http_status or 0
        super().__init__(f"{self.status} {error.code or ''} {error.user_message or error}".strip())

    def as_domain_error(self) -> GatewayUnavailable | GatewayRefused:
        return GatewayUnavailable() if self.status >= 500 else GatewayRefused(str(self))


@contextmanager
def _speaking(verb: str, what: str) -> Iterator[None]:
    """Raises ``GatewayUnavailable`` where nobody knows what happened or nothing did, ``_Answered`` where Stripe has
    answered; the log has the details."""
    try:
        yield
    except stripe.StripeError as error:
        log.warning("Stripe: %s %s: %s %s (request %s)", verb, what, error.http_status, error, error.request_id)
        # An answer that breaks off halfway comes as an error, too, with a status that says all is well.
        unread = isinstance(error, stripe.APIConnectionError) or (error.http_status or 0) < 400
        locked_out = isinstance(error, (stripe.AuthenticationError, stripe.PermissionError))
        if unread or locked_out or error.http_status in _BUSY:
            raise GatewayUnavailable from error
        raise _Answered(error) from error


@contextmanager
def _asking(verb: str, what: str) -> Iterator[None]:
    """For reads: they change nothing, so they are simply asked again later."""
    try:
        with _speaking(verb, what):
            yield
    except _Answered as error:
        if error.status == 404:
            raise NotFound(_("There is no such payment.")) from error
        raise GatewayUnavailable from error
