"""How the points of a gift read in the history: "Why these points?"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.formats import points
from app.foundation.languages import translated
from app.loyalty.ledger.explanations import Facts, explanation, kind_label, sentence

kind_label("gift", _l("Gift"))


def why_gift(name: Mapping[str, str], *, period: str, amount: int, version: int) -> dict[str, Any]:
    return explanation("benefit.gift", name=dict(name), period=period, points=amount, rule_version=version)


@sentence("benefit.gift")
def _gift(facts: Facts) -> str:
    words = {"name": translated(facts["name"]), "points": points(facts["points"]), "period": facts["period"]}
    if facts["period"] == "once":
        return _("“%(name)s”: a gift of %(points)s points.", **words)
    return _("“%(name)s” for %(period)s: a gift of %(points)s points.", **words)
