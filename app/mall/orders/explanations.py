"""“Why these points?”, as far as orders are the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import points
from app.foundation.languages import translated
from app.loyalty.ledger.explanations import explanation, kind_label, sentence, step

KIND = "redemption"
kind_label(KIND, _l("Redeemed"))


def redeeming(*, number: str, name: Mapping[str, str], quantity: int, points_each: int) -> dict[str, Any]:
    return explanation(
        "order.redeem",
        number=number,
        name=dict(name),
        steps=[step("order.pieces", quantity=quantity, each=points_each, total=quantity * points_each)],
    )


def releasing(*, number: str) -> dict[str, Any]:
    return explanation("order.release", number=number)


@sentence("order.redeem")
def _redeem(facts: Mapping[str, Any]) -> str:
    return _("Order %(number)s: %(name)s.", number=facts["number"], name=translated(facts["name"]))


@sentence("order.pieces")
def _pieces(facts: Mapping[str, Any]) -> str:
    return _(
        "%(quantity)s × %(each)s points = %(total)s points.",
        quantity=facts["quantity"],
        each=points(facts["each"]),
        total=points(facts["total"]),
    )


@sentence("order.release")
def _release(facts: Mapping[str, Any]) -> str:
    return _("Order %(number)s was not paid; the points set aside for it are yours again.", number=facts["number"])
