"""How long claims can be made for."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms


@terms("returns", _l("Returns"))
class ReturnTerms:
    """``warranty_months`` from the day of delivery, for everything that is sent; benefits may add to it."""

    warranty_months: int = term(12, _l("Months of warranty"), _l("From delivery; a benefit may make it longer."))

    def __post_init__(self) -> None:
        if not 0 <= self.warranty_months <= 120:
            raise InvalidInput(_("A warranty can last between 0 and 120 months."))
