"""“Why these points?”, as far as returns are the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.loyalty.ledger.explanations import explanation, kind_label, sentence

KIND = "return"
kind_label(KIND, _l("Returned"))


def giving_back(*, number: str, order_no: str, shop_caused: bool) -> dict[str, Any]:
    return explanation("return.back", number=number, order_no=order_no, shop_caused=shop_caused)


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
