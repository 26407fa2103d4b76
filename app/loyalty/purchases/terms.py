"""What is believed of a purchase that another system reports."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

HIGHEST = 10_000_000_000
LONGEST_TOLERANCE = 31


@terms("purchases", _l("Reported purchases"))
class PurchaseTerms:
    """``largest_line`` in major units of the programme's currency: more in one line is a slip of the keyboard.

    A till's clock may be ahead by ``future_days``; a purchase later than that is refused.
    """

    largest_line: int = term(
        10_000_000, _l("Largest amount of a line"), _l("In whole units of the currency; more is taken for a slip.")
    )
    largest_quantity: int = term(1_000_000, _l("Largest quantity of a line"))
    future_days: int = term(1, _l("Days a purchase may be dated ahead"), _l("A till's clock may be ahead."))

    def __post_init__(self) -> None:
        if not 1 <= self.largest_line <= HIGHEST:
            raise InvalidInput(_("The largest amount of a line must be between 1 and %(most)s.", most=HIGHEST))
        if not 1 <= self.largest_quantity <= 2**31 - 1:
            raise InvalidInput(_("The largest quantity of a line must be between 1 and %(most)s.", most=2**31 - 1))
        if not 0 <= self.future_days <= LONGEST_TOLERANCE:
            raise InvalidInput(_("A purchase may be dated 0 to %(most)s days ahead.", most=LONGEST_TOLERANCE))
