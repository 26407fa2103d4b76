"""The house with Stripe as its gateway, on the database of the test, and a Stripe of our own on loopback."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe as library
from flask import Flask
from stripe._http_client import HTTPClient
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings
from app.foundation import clock, outbox
from app.foundation.database import db, transaction
from app.mall.orders.actions import begin_payment
from app.mall.payments import stripe as room
from app.mall.payments.models import Payment, PaymentEvent, Refund
from tests.conftest import NOON, Browser
from tests.databases import Backend
from tests.mall.orders.shop import make_goods, order_some
from tests.mall.payments.stripe_server import KEY, SECRET, StripeServer, signed

PATIENCE = 0.4  # Seconds that we wait for an answer here.


@pytest.fixture(scope="session")
def stripe_at_home() -> Iterator[StripeServer]:
    server = StripeServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stripe_application(application: Flask, backend: Backend, stripe_at_home: StripeServer) -> Iterator[Flask]:
    with tempfile.TemporaryDirectory(prefix="jifen-instance-") as folder:
        app = create_app(
            Settings(
                environment="testing",
                instance_path=Path(folder),
                database_url=backend.url,
                cheap_passwords=True,
                public_url="http://points.test",
                payment_gateway="stripe",
                stripe_secret_key=KEY,
                stripe_webhook_secret=SECRET,
                stripe_api_base=stripe_at_home.url,
                extra={"WTF_CSRF_ENABLED": True, "RATELIMIT_ENABLED": False},
            )
        )
        app.test_client_class = Browser
        yield app


@pytest.fixture
def app(stripe_application: Flask, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """As the house's own fixture, with Stripe. No request ever goes out while a transaction is open."""
    monkeypatch.setattr(room, "TIMEOUT", (PATIENCE, PATIENCE))
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.01)
    stripe_application.extensions.pop("stripe", None)
    held = _watch_transactions(monkeypatch)
    with stripe_application.app_context():
        db.engine.dispose()
        backend.fresh()
        with clock.freeze(NOON):
            yield stripe_application
        db.session.remove()
    assert not held, "A transaction was open while we spoke to Stripe."


def _watch_transactions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    held: list[str] = []
    request = library.RequestsClient.request

    def watched(self: Any, method: str, url: str, *args: Any, **options: Any) -> Any:
        if db.session().in_transaction():
            held.append(f"{method} {url}")
        return request(self, method, url, *args, **options)

    monkeypatch.setattr(library.RequestsClient, "request", watched)
    return held


@pytest.fixture
def server(app: Flask, stripe_at_home: StripeServer) -> Iterator[StripeServer]:
    """Empty books, and at the end no request that Stripe would not have understood."""
    stripe_at_home.reset()
    yield stripe_at_home
    assert not stripe_at_home.books.complaints, "\n".join(stripe_at_home.books.complaints)


# --- short ways -----------------------------------------------------------------------------------


def kettle() -> Any:
    return make_goods("Kettle", points=300, cash=5_000)


def order_kettle(member_id: int) -> int:
    return order_some(member_id, kettle())


def go_and_pay(app: Flask, order_id: int, *, now: Any = NOON) -> str:
    """The member stands at Stripe's page; returns where they were sent."""
    db.session.rollback()
    with transaction():
        attempt = begin_payment(order_id=order_id, now=now)
    with app.test_request_context():
        return attempt.ask(description="Order 1", return_url="/orders/1/payment", cancel_url="/orders/1")


def tell(app: Flask, event: Any, **options: Any) -> TestResponse:
    """Stripe reports something."""
    body, headers = signed(event, **options)
    return app.test_client().post("/webhooks/stripe", data=body, headers=headers)


def tell_everything(app: Flask, server: StripeServer) -> list[int]:
    """Stripe reports all that has happened, once; returns the statuses."""
    return [tell(app, event).status_code for event in server.books.events]


def worker(now: Any) -> None:
    """What leaves the house, at ``now``."""
    with clock.freeze(now):
        outbox.deliver_due(now=now)


def only_payment() -> Payment:
    db.session.rollback()
    return db.session.query(Payment).populate_existing().one()


def refunds() -> list[tuple[str, int, str]]:
    """(reason, amount, state) of every refund."""
    db.session.rollback()
    return [(refund.reason, refund.amount, refund.state) for refund in db.session.query(Refund).order_by(Refund.id)]


def reports() -> list[tuple[str, bool, bool]]:
    """(type, processed, with an error) of every stored report."""
    db.session.rollback()
    rows = db.session.query(PaymentEvent).order_by(PaymentEvent.id)
    return [(row.type, row.processed_at is not None, row.error is not None) for row in rows]


def kept() -> int:
    """What our books say was collected, less what they say was given back."""
    db.session.rollback()
    return sum(
        payment.amount - payment.refund_total
        for payment in db.session.query(Payment)
        if payment.state in ("paid", "refunded")
    )
