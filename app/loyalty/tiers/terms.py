"""When tiers are reviewed, and when a return counts."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

LATEST_DAY = 28


@terms("tiers", _l("Tiers"))
class TierTerms:
    """``review_day`` leaves tills some days to report the last month's purchases."""

    review_day: int = term(
        3, _l("Day of the monthly review"), _l("Leave the shops some days to report what was bought last month.")
    )
    returns: str = term(
        "review",
        _l("When a return counts for the tier"),
        _l("Whoever reached a tier by something that comes back loses it then."),
        choices={"review": _l("At the next review"), "at_once": _l("At once")},
    )

    def __post_init__(self) -> None:
        if not 1 <= self.review_day <= LATEST_DAY:
            raise InvalidInput(_("The review can be on day 1 to %(last)s of a month.", last=LATEST_DAY))
        if self.returns not in ("review", "at_once"):
            raise InvalidInput(_("A return counts at the next review, or at once."))
