"""The sandbox's own pay page. It belongs to nobody's session: whoever knows the reference may pay."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from app.foundation import clock
from app.foundation.formats import money
from app.foundation.pages import page, seen
from app.foundation.permissions import public
from app.mall.payments.models import SandboxCharge
from app.mall.payments.sandbox import charge_by, decide, notify

sandbox = Blueprint("sandbox", __name__, url_prefix="/sandbox")
WISHES = {"pay": "paid", "decline": "declined"}


def _charge_or_404(reference: str) -> SandboxCharge:
    return charge_by(reference) or abort(404)


@sandbox.get("/<reference>")
@public
def show(reference: str) -> ResponseReturnValue:
    charge = _charge_or_404(reference)
    return page(
        "mall/payments/sandbox.html",
        reference=charge.reference,
        amount=money(charge.money),
        description=charge.description,
        state=charge.state,
        cancel_url=charge.cancel_url,
    )


@sandbox.post("/<reference>/outcome")
@public
def create_outcome(reference: str) -> ResponseReturnValue:
    charge = _charge_or_404(reference)
    wish = WISHES.get(request.form.get("wish", "")) or abort(400)
    return_url = charge.return_url
    decide(reference=reference, wish=wish)
    notify(reference=reference, now=clock.now())
    return seen(return_url)
