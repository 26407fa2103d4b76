"""How a correction reads in the member's points history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from app.foundation.languages import translated
from app.loyalty.ledger.explanations import Facts, explanation, sentence


def correcting(*, code: str, reason: Mapping[str, str]) -> dict[str, Any]:
    """The agent's note is not in it: that is for colleagues, and stands in the audit log."""
    return explanation("desk.adjustment", reason_code=code, reason=dict(reason))


@sentence("desk.adjustment")
def _adjustment(facts: Facts) -> str:
    return _("Corrected by our service team: %(reason)s.", reason=translated(facts["reason"]))
