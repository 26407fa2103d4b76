"""Payments in the back office: what somebody has to see to, and what gateways reported."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from app.foundation import clock
from app.foundation.listing import first_url, next_url
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.mall.payments import queries
from app.mall.payments.statements import event_row, refund_row

payments = Blueprint("payments", __name__, url_prefix="/payments")

PAGE = 50
PROBLEMS = 100
REMEMBERED = timedelta(days=30)
STUCK = timedelta(days=10)  # Banks take up to ten days for a refund.


@payments.get("")
@requires(Permission.PAYMENT_READ)
def index() -> ResponseReturnValue:
    now = clock.now()
    since = now - REMEMBERED
    part = queries.latest_events(after=request.args.get("after"), limit=PAGE)
    refunds = queries.refunds_to_see_to(since=since, stuck_before=now - STUCK, limit=PROBLEMS)
    return page(
        "mall/payments/office/index.html",
        fragments={"events"},
        problems=[event_row(event) for event in queries.events_to_see_to(since=since, limit=PROBLEMS)],
        payments=[refund_row(refund, payment) for refund, payment in refunds],
        events=[event_row(event) for event in part.items],
        first_url=first_url(),
        next_url=next_url(part),
    )
