"""How long a code must last to be sold, and when its owner is reminded of its end."""

from __future__ import annotations

from datetime import date, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms


@terms("codes", _l("Voucher codes"))
class CodeTerms:
    """``least_days`` are full days after the one on which a code is handed out; 0 sells it on its last day, too."""

    least_days: int = term(
        1, _l("Days that a code must still be good for"), _l("Codes that end earlier are taken out of their pools.")
    )
    remind_days: int = term(14, _l("Days before its end in which a code is pointed out to its owner"))

    def __post_init__(self) -> None:
        if not all(0 <= days <= 365 for days in (self.least_days, self.remind_days)):
            raise InvalidInput(_("The periods of voucher codes take between 0 and 365 days."))

    def sold_until(self, today: date) -> date:
        """The earliest last day with which a code is still sold today."""
        return today + timedelta(days=self.least_days)
