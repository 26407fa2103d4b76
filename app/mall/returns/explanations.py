"""“Why these points?”, as far as returns are the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.loyalty.ledger.explanations import explanation, kind_label, sentence

KINDS = {"return": "return", "cancellation": "cancellation"}  # Of transfers, by the kind of the case.
kind_label(KINDS["return"], _l("Returned"))
kind_label(KINDS["cancellation"], _l("Cancelled"))


def giving_back(kind: str, *, number: str, order_no: str, shop_caused: bool) -> dict[str, Any]:
    return explanation(f"{kind}.back", number=number, order_no=order_no, shop_caused=shop_caused)


@sentence("return.back")
def _back(facts: Mapping[str, Any]) -> str:
    if facts["shop_caused"]:
        return _(
            "Return %(number)s of order %(order)s: the points are back, and what had expired lives a little longer.",
            number=facts["number"],
            order=facts["order_no"],
        )
    return _(
        "Return %(number)s of order %(order)s: the points are back, to be used as long as before.",
        number=facts["number"],
        order=facts["order_no"],
    )


@sentence("cancellation.back")
def _cancelled(facts: Mapping[str, Any]) -> str:
    if facts["shop_caused"]:
        return _(
            "Order %(order)s could not be delivered: the points are back, and what had expired lives a little longer.",
            order=facts["order_no"],
        )
    return _(
        "Order %(order)s was cancelled: the points are back, to be used as long as before.", order=facts["order_no"]
    )
