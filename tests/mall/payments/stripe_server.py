"""A Stripe of our own on loopback: sessions, payments, refunds, reports, and everything that may go wrong with them.

It speaks HTTP in threads, keeps what it was told, answers a repeated idempotency key with the first answer, and
writes down every request that Stripe's API description does not allow. Its clock is the house's: tests can stop it.
"""

from __future__ import annotations

import copy
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from stripe import WebhookSignature
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from app.foundation import clock
from tests.mall.payments.stripe_words import complaints, nested

SECRET = "whsec_for_tests_only"
KEY = "sk_test_for_tests_only"
HALF_AN_HOUR, DAY = 30 * 60, 24 * 60 * 60
LEAST = {"cny": 400, "jpy": 50, "usd": 50}
URLS = Map(
    [
        Rule("/v1/checkout/sessions", methods=["POST"], endpoint="open"),
        Rule("/v1/checkout/sessions/<id>", methods=["GET"], endpoint="session"),
        Rule("/v1/checkout/sessions/<id>/expire", methods=["POST"], endpoint="expire"),
        Rule("/v1/refunds", methods=["POST"], endpoint="refund"),
        Rule("/v1/refunds", methods=["GET"], endpoint="refunds"),
        Rule("/v1/refunds/<id>", methods=["GET"], endpoint="one_refund"),
    ]
)


HALF = 200  # As a fault: all went well, and the answer breaks off.


class Refused(Exception):
    """An answer that is an error, in Stripe's form."""

    def __init__(self, status: int, message: str, *, type_: str = "invalid_request_error", code: str = "") -> None:
        self.status = status
        self.body = {"error": {"type": type_, "message": message, **({"code": code} if code else {})}}
        super().__init__(message)


@dataclass
class Fault:
    """What goes wrong with the next request to ``place``: before it takes effect, or after."""

    place: str
    status: int = 0
    after: bool = False
    delay: float = 0
    message: str = "Something broke."


@dataclass
class Told:
    """A request as it came."""

    place: str
    parameters: dict[str, Any]
    key: str | None


@dataclass
class Books:
    """Everything a Stripe remembers."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    intents: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    answers: dict[str, tuple[str, int, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class StripeServer:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.forgetful = False  # About idempotency keys, to show what they are for.
        self.numbers = itertools.count(1)
        self.books = Books()
        self.server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def start(self) -> StripeServer:
        self.thread.start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def reset(self) -> None:
        self.books = Books()
        self.forgetful = False

    # --- what a test does and asks ---

    def fail(self, place: str, status: int = 0, *, after: bool = False, delay: float = 0, times: int = 1) -> None:
        """The next requests to ``place`` (an endpoint's name) go wrong; status 0 cuts the line."""
        self.books.faults += [Fault(place, status, after, delay) for _ in range(times)]

    def pay(self, session_id: str) -> dict[str, Any]:
        """The person pays on Stripe's page, by card or with a phone."""
        session = self._complete(session_id, intent="succeeded", paid=True)
        return self._report("checkout.session.completed", session)

    def pay_slowly(self, session_id: str) -> dict[str, Any]:
        """The person is through, and the bank is still thinking."""
        session = self._complete(session_id, intent="processing", paid=False)
        return self._report("checkout.session.completed", session)

    def bank_says(self, session_id: str, *, good: bool) -> dict[str, Any]:
        session = self.books.sessions[session_id]
        intent = self.books.intents[session["payment_intent"]]
        intent["status"] = "succeeded" if good else "requires_payment_method"
        intent["amount_received"] = intent["amount"] if good else 0
        session["payment_status"] = "paid" if good else "unpaid"
        what = "succeeded" if good else "failed"
        return self._report(f"checkout.session.async_payment_{what}", session)

    def decline(self, session_id: str) -> dict[str, Any]:
        """The card is declined, or 3-D Secure was not passed: the page stays open for another try."""
        session = self.books.sessions[session_id]
        intent = self._intent_of(session)
        intent["status"] = "requires_payment_method"
        return self._report("payment_intent.payment_failed", intent)

    def time_passes(self, session_id: str) -> dict[str, Any]:
        """The page has reached its end."""
        session = self.books.sessions[session_id]
        session.update(status="expired", url=None)
        return self._report("checkout.session.expired", session)

    def bank_refunds(self, refund_id: str, status: str = "succeeded") -> dict[str, Any]:
        refund = self.books.refunds[refund_id]
        refund["status"] = status
        if status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card"
        return self._report("refund.failed" if status == "failed" else "refund.updated", refund)

    def refund_by_hand(self, intent_id: str, amount: int) -> dict[str, Any]:
        """A colleague presses the button on Stripe's own pages."""
        refund = self._give_back({"payment_intent": intent_id, "amount": str(amount)}, status="succeeded")
        return self._report("refund.created", refund)

    def report(self, type_: str, **object_: Any) -> dict[str, Any]:
        """A report of any other kind."""
        return self._report(type_, object_)

    def only_session(self) -> str:
        (found,) = self.books.sessions
        return found

    def kept(self) -> int:
        """What was collected less what was given back."""
        paid = sum(intent["amount_received"] for intent in self.books.intents.values())
        back = sum(
            refund["amount"] for refund in self.books.refunds.values() if refund["status"] not in ("failed", "canceled")
        )
        return paid - back

    def count(self, place: str) -> int:
        return sum(told.place == place for told in self.books.told)

    # --- HTTP ---

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        try:
            response = self._respond(request)
        except _Cut:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        except Refused as refusal:
            response = Response(json.dumps(refusal.body), refusal.status, mimetype="application/json")
        except HTTPException as error:
            response = Response(json.dumps({"error": {"message": str(error)}}), error.code, mimetype="application/json")
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        place, values = URLS.bind_to_environ(request.environ).match()
        text = request.get_data(as_text=True) if request.method == "POST" else request.query_string.decode()
        parameters = nested(parse_qsl(text, keep_blank_values=True))
        key = request.headers.get("Idempotency-Key")
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise Refused(401, "Invalid API key.")
        path = request.path.replace(values["id"], "{id}") if "id" in values else request.path
        with self.lock:
            self.books.told.append(Told(place, parameters, key))
            self.books.complaints += complaints(request.method, path, parameters)
            fault = next((fault for fault in self.books.faults if fault.place == place), None)
            if fault:
                self.books.faults.remove(fault)
            if request.method == "POST" and not key and place != "expire":
                self.books.complaints.append(f"{place} without an idempotency key")
            status, body, replayed = self._once(place, values, parameters, key, fault)
        if fault and fault.delay:
            time.sleep(fault.delay)
        if fault and not fault.status and not fault.delay:
            raise _Cut
        if fault and fault.status == HALF:
            return Response(json.dumps(body)[:40], 200, mimetype="application/json")
        headers = {"Request-Id": f"req_{next(self.numbers)}"} | ({"Idempotent-Replayed": "true"} if replayed else {})
        return Response(json.dumps(body), status, mimetype="application/json", headers=headers)

    def _once(
        self, place: str, values: dict[str, Any], parameters: dict[str, Any], key: str | None, fault: Fault | None
    ) -> tuple[int, Any, bool]:
        """The first answer to a key is the answer to it, errors of the server's own included."""
        asked = json.dumps([place, parameters], sort_keys=True)
        if key and key in self.books.answers and not self.forgetful:
            before, status, body = self.books.answers[key]
            if before != asked:
                raise Refused(400, "Keys can only be used with the same parameters.", type_="idempotency_error")
            return status, body, True
        if fault and not fault.after:
            if fault.status == 0:
                raise _Cut
            status, body = fault.status, {"error": {"type": "api_error", "message": fault.message}}
        else:
            status, body = self._act(place, values, parameters)
            if fault and fault.status not in (0, HALF):
                status, body = fault.status, {"error": {"type": "api_error", "message": fault.message}}
        if key and status not in (409, 429) and not (400 <= status < 402):
            self.books.answers[key] = (asked, status, copy.deepcopy(body))
        return status, body, False

    def _act(self, place: str, values: dict[str, Any], parameters: dict[str, Any]) -> tuple[int, Any]:
        acts: dict[str, Callable[..., Any]] = {
            "open": lambda: self._open(parameters),
            "session": lambda: self._expanded(self._found(self.books.sessions, values["id"]), parameters),
            "expire": lambda: self._expire(values["id"]),
            "refund": lambda: self._refund(parameters),
            "refunds": lambda: self._refunds(parameters),
            "one_refund": lambda: self._expanded(self._found(self.books.refunds, values["id"]), parameters),
        }
        try:
            return 200, copy.deepcopy(acts[place]())
        except Refused as refusal:
            return refusal.status, refusal.body

    # --- sessions ---

    def _open(self, asked: dict[str, Any]) -> dict[str, Any]:
        item = asked["line_items"][0]
        price, now = item["price_data"], self._now()
        amount, currency = int(price["unit_amount"]) * int(item["quantity"]), price["currency"]
        if not HALF_AN_HOUR <= int(asked["expires_at"]) - now <= DAY:
            raise Refused(400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.")
        if amount < LEAST.get(currency, 50):
            raise Refused(400, "The amount is too small.", code="amount_too_small")
        client = asked.get("payment_method_options", {}).get("wechat_pay", {}).get("client")
        if "wechat_pay" in asked["allowed_payment_method_types"] and client != "web":
            raise Refused(400, "WeChat Pay needs to know the client.")
        number = f"cs_test_{next(self.numbers):058}"
        self.books.sessions[number] = {
            "id": number,
            "object": "checkout.session",
            "amount_total": amount,
            "client_reference_id": asked["client_reference_id"],
            "currency": currency,
            "customer_details": None,
            "expires_at": int(asked["expires_at"]),
            "livemode": False,
            "metadata": asked.get("metadata", {}),
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "url": f"{self.url}/c/pay/{number}",
            "wanted": asked,
        }
        return self.books.sessions[number]

    def _expire(self, number: str) -> dict[str, Any]:
        session = self._found(self.books.sessions, number)
        if session["status"] != "open":
            raise Refused(400, f"Only open sessions can be expired. This one is {session['status']}.")
        self.time_passes(number)
        return session

    def _complete(self, number: str, *, intent: str, paid: bool) -> dict[str, Any]:
        session = self.books.sessions[number]
        assert session["status"] == "open", "Nobody can pay there any more."
        made = self._intent_of(session)
        made["status"] = intent
        made["amount_received"] = made["amount"] if paid else 0
        session.update(
            status="complete",
            url=None,
            payment_status="paid" if paid else "unpaid",
            customer_details={"email": "alice@example.com", "name": "Alice Lin"},
        )
        return session

    def _intent_of(self, session: dict[str, Any]) -> dict[str, Any]:
        if session["payment_intent"] is None:
            number = f"pi_{next(self.numbers):024}"
            session["payment_intent"] = number
            self.books.intents[number] = {
                "id": number,
                "object": "payment_intent",
                "amount": session["amount_total"],
                "amount_received": 0,
                "currency": session["currency"],
                "metadata": session["wanted"]["payment_intent_data"]["metadata"],
                "status": "requires_payment_method",
            }
        return self.books.intents[session["payment_intent"]]

    # --- refunds ---

    def _refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        refund = self._give_back(asked, status="pending")
        self._report("refund.created", refund)
        return refund

    def _give_back(self, asked: dict[str, Any], *, status: str) -> dict[str, Any]:
        intent = self._found(self.books.intents, asked["payment_intent"])
        back = [refund for refund in self.books.refunds.values() if refund["payment_intent"] == intent["id"]]
        rest = intent["amount_received"] - sum(each["amount"] for each in back if each["status"] != "failed")
        amount = int(asked.get("amount", rest))
        if not 0 < amount <= rest:
            raise Refused(400, f"Refund amount is greater than unrefunded amount on charge ({rest}).")
        number = f"re_{next(self.numbers):024}"
        self.books.refunds[number] = {
            "id": number,
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "metadata": asked.get("metadata", {}),
            "payment_intent": intent["id"],
            "status": status,
            "failure_reason": None,
        }
        return self.books.refunds[number]

    def _refunds(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = [
            refund for refund in self.books.refunds.values() if refund["payment_intent"] == asked["payment_intent"]
        ]
        return {"object": "list", "data": found[::-1], "has_more": False, "url": "/v1/refunds"}

    # --- parts ---

    def _found(self, things: dict[str, dict[str, Any]], number: str) -> dict[str, Any]:
        if number not in things:
            raise Refused(404, f"No such object: '{number}'", code="resource_missing")
        return things[number]

    def _expanded(self, thing: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        parts = {name: self.books.intents.get(thing[name] or "") for name in asked.get("expand", [])}
        return thing | parts

    def _report(self, type_: str, thing: dict[str, Any]) -> dict[str, Any]:
        event = {
            "id": f"evt_{next(self.numbers):024}",
            "object": "event",
            "api_version": "2026-10-28",
            "created": self._now(),
            "livemode": False,
            "type": type_,
            "data": {"object": copy.deepcopy(thing)},
        }
        self.books.events.append(event)
        return event

    def _now(self) -> int:
        return int(clock.now().timestamp())


class _Cut(Exception):
    """The line went dead."""


def signed(event: Any, *, secret: str = SECRET, age: int = 0) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a report, as Stripe sends it ``age`` seconds after it was signed."""
    body = event if isinstance(event, str) else json.dumps(event)
    signature = WebhookSignature.generate_signature_header(body, secret, int(time.time()) - age)
    return body.encode(), {"Stripe-Signature": signature, "Content-Type": "application/json"}
