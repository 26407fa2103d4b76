"""The sandbox's own pay page. It belongs to nobody's session: whoever knows the reference may pay."""

from __future__ import annotations

import re

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import money
from app.foundation.pages import page, seen
from app.foundation.permissions import public
from app.mall.payments.models import SandboxCharge
from app.mall.payments.sandbox import charge_by, decide, notify

sandbox = Blueprint("sandbox", __name__, url_prefix="/sandbox")
REFERENCE = re.compile(r"[A-Za-z0-9_-]{20,80}")
WISHES = {"pay": "paid", "decline": "declined"}


def _charge_or_404(reference: str) -> SandboxCharge:
    charge = charge_by(reference) if REFERENCE.fullmatch(reference) else None
    return charge or abort(404)


@sandbox.get("/<reference>")
@public
def show(reference: str) -> ResponseReturnValue:
    charge = _charge_or_404(reference)
    return page(
        "mall/payments/sandbox.html",
        amount=money(charge.money),
        description=charge.description,
        state=charge.state,
        state_text=_state_text(charge.state),
        outcome_url=url_for(".create_outcome", reference=charge.reference),
        cancel_url=charge.cancel_url,
    )


def _state_text(state: str) -> str:
    return {
        "open": "",
        "paid": _("This payment was made. It cannot be made twice."),
        "declined": _("This payment was declined. The shop offers another try."),
        "expired": _("The order has ended, so it can no longer be paid."),
        "refunded": _("This payment was made and has been given back."),
    }[state]


@sandbox.post("/<reference>/outcome")
@public
def create_outcome(reference: str) -> ResponseReturnValue:
    charge = _charge_or_404(reference)
    wish = WISHES.get(request.form.get("wish", "")) or abort(400)
    return_url = charge.return_url
    decide(reference=reference, wish=wish)
    notify(reference=reference, now=clock.now())
    return seen(return_url)
