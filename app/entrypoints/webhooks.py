"""The door for other machines that report something: ``POST /webhooks/stripe``.

Whoever knocks proves who they are by a signature; there is no session, no form token and no rate limit.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from flask import Blueprint, Flask, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from stripe import SignatureVerificationError, WebhookSignature
from werkzeug.exceptions import RequestEntityTooLarge

from app.extensions import csrf, limiter
from app.foundation import clock
from app.foundation.database import db
from app.foundation.permissions import public
from app.mall.payments import reports

log = logging.getLogger(__name__)
webhooks = Blueprint("webhooks", __name__, url_prefix="/webhooks")

LARGEST = 256 * 1024  # Bytes. Stripe's reports have a few thousand.
TOLERANCE = 300  # Seconds that a signature may be old: a report that somebody recorded is not taken again.


class Unreadable(Exception):
    """Not a report, or not from Stripe."""


@webhooks.post("/stripe")
@csrf.exempt
@public
def create_stripe_report() -> ResponseReturnValue:
    """200: taken, or of no interest. 400 and 413: refused. 500: our fault, so that Stripe repeats it."""
    request.max_content_length = LARGEST
    try:
        event = _signed(request.get_data())
        row = reports.store(event, now=clock.now())
    except RequestEntityTooLarge:
        log.warning("webhook refused: larger than %s bytes, from %s", LARGEST, request.remote_addr)
        return jsonify(error="too large"), 413
    except Unreadable as error:
        log.warning("webhook refused: %s, from %s", error, request.remote_addr)
        return jsonify(error="refused"), 400
    try:
        reports.process(row, now=clock.now())
    except Exception:
        db.session.rollback()
        log.exception("Stripe's report %s (%s) could not be processed", event["id"], event["type"])
        return jsonify(error="not processed yet"), 500
    return jsonify(received=True)


def _signed(body: bytes) -> dict[str, Any]:
    """The report, once its signature is proven. Raises ``Unreadable``."""
    secret = current_app.config["SETTINGS"].stripe_webhook_secret
    try:
        text = body.decode()
        WebhookSignature.verify_header(text, request.headers.get("Stripe-Signature"), secret, TOLERANCE)
        event = json.loads(text)
        if "\\u0000" in text:
            raise ValueError("a sign that no database stores")
        well_formed = all(isinstance(event[name], str) for name in ("id", "type")) and isinstance(
            event["data"]["object"], dict
        )
    except SignatureVerificationError as error:
        raise Unreadable(str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Unreadable(f"no report ({type(error).__name__})") from error
    if not well_formed:
        raise Unreadable("no report (its parts are of other kinds)")
    return dict(event)


def init_app(app: Flask) -> None:
    """Only where Stripe is the gateway: elsewhere there is nothing to knock at."""
    if app.config["SETTINGS"].payment_gateway == "stripe":
        limiter.exempt(webhooks)
        app.register_blueprint(webhooks)
