"""What is believed of a balance that a member brings from somewhere else."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

HIGHEST = 10**12


@terms("openings", _l("Opening balances"))
class OpeningTerms:
    largest: int = term(10_000_000, _l("Largest opening balance of a line"), _l("In points; more is taken for a slip."))

    def __post_init__(self) -> None:
        if not 1 <= self.largest <= HIGHEST:
            raise InvalidInput(_("The largest opening balance must be between 1 and %(most)s.", most=HIGHEST))
