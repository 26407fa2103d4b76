"""Against ``localstripe``, a Stripe that others have written: what it can do of what we do.

It knows payments, refunds in parts and signed reports. It knows no Checkout, so the member's way to the page is told in
``test_paying``; here the money is already there.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import stripe as library
from werkzeug.serving import make_server

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.money import Money
from app.mall.orders.actions import begin_payment
from app.mall.payments import actions
from app.mall.payments.models import PaymentEvent
from app.mall.payments.stripe import Stripe
from tests.conftest import NOON
from tests.mall.orders.shop import payments_of, report
from tests.mall.payments.stripe_server import KEY, SECRET
from tests.mall.payments.stripe_world import only_payment, refunds, worker

PATIENCE = 20
# What is tried out here is the line between two programs; the databases are compared elsewhere.
pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "localstripe", "--port", str(port), "--from-scratch"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(port: int) -> None:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError("localstripe did not start")


@pytest.fixture
def client(app, address):
    """The house's gateway speaks to localstripe; here is the same library for what the member does there."""
    made = library.StripeClient(KEY, base_addresses={"api": address})
    app.extensions["stripe"] = Stripe(made, methods=("card",), home="http://points.test")
    yield made
    app.extensions.pop("stripe")


@pytest.fixture
def payment(app, order, client):
    """¥50 that have arrived by card."""
    with transaction():
        attempt = begin_payment(order_id=order, now=NOON)
    intent = pay(client, attempt.reference, 5_000)
    report(order, only_payment().id)
    with transaction():
        actions.note_session(gateway="stripe", reference=attempt.reference, intent_id=intent)
    return only_payment().id


def pay(client, reference, amount):
    db.session.rollback()
    card = client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": "4242424242424242", "exp_month": "12", "exp_year": "2031", "cvc": "123"},
        }
    )
    intent = client.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "cny",
            "payment_method": card.id,
            "confirm": True,
            "metadata": {"reference": reference},
        }
    )
    assert intent.status == "succeeded"
    return intent.id


def give_back(payment, amount, key):
    with transaction():
        actions.refund(payment_id=payment, amount=Money(amount, "CNY"), key=key, reason="return", by=SYSTEM, now=NOON)


def at_localstripe(client):
    listed = client.v1.refunds.list({"payment_intent": intent_of_the_payment()})
    return sorted(refund.amount for refund in listed.data)


def intent_of_the_payment():
    intent = only_payment().intent_id
    db.session.rollback()
    return intent


def test_two_parts_and_the_rest(order, client, payment):
    for key, amount in (("return:1", 1_000), ("return:2", 1_500), ("return:3", 2_500)):
        give_back(payment, amount, key)
    worker(NOON)
    assert refunds() == [("return", 1_000, "done"), ("return", 1_500, "done"), ("return", 2_500, "done")]
    assert payments_of(order) == [("refunded", 5_000)]
    assert at_localstripe(client) == [1_000, 1_500, 2_500]


def test_a_stripe_without_idempotency_keys_still_gives_back_once(client, payment, monkeypatch):
    """localstripe ignores the keys: what protects here is that we look before we ask again."""
    give_back(payment, 1_000, "return:1")
    with monkeypatch.context() as broken:
        broken.setattr(actions, "record_refund", lambda **_names: 1 / 0)
        worker(NOON)
    assert refunds() == [("return", 1_000, "asked")]
    worker(NOON.replace(hour=6))
    assert refunds() == [("return", 1_000, "done")]
    assert at_localstripe(client) == [1_000]


def test_a_refund_by_hand_is_read_as_it_is(app, client, payment):
    made = client.v1.refunds.create({"payment_intent": intent_of_the_payment(), "amount": 700})
    facts = app.extensions["stripe"].refund_facts(made.id)
    assert (facts.amount, facts.answer.state) == (Money(700, "CNY"), "done")
    assert facts.reference == only_payment().reference
    db.session.rollback()


def test_its_signed_reports_are_believed_and_those_of_others_are_not(app, client, address, order):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ours = f"http://127.0.0.1:{server.server_port}/webhooks/stripe"
    try:
        for name, secret in (("ours", SECRET), ("theirs", "whsec_of_somebody_else")):
            told = requests.post(f"{address}/_config/webhooks/{name}", data={"url": ours, "secret": secret}, timeout=9)
            assert told.status_code == 200
        pay(client, "nobody's", 5_000)
        kinds = _reports_that_came()
    finally:
        server.shutdown()
        server.server_close()
    assert kinds.count("payment_intent.succeeded") == 1
    assert payments_of(order) == []


def _reports_that_came() -> list[str]:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        db.session.rollback()
        kinds = [row.type for row in db.session.query(PaymentEvent)]
        if "payment_intent.succeeded" in kinds:
            return kinds
        time.sleep(0.1)
    raise TimeoutError("no report came")
