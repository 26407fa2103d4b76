"""How long points live. Part of the programme's terms."""

from __future__ import annotations

from dataclasses import field

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.foundation.terms import terms

POLICIES = ("months", "yearly", "never")
CLAWBACKS = ("negative", "stop_at_zero")


@terms("ledger")
class LedgerTerms:
    """``months``: the end of the month N months after earning; ``yearly``: a fixed date; ``never``."""

    expiry: str = field(default="months", metadata={"choices": POLICIES})
    expiry_months: int = 12
    expiry_month: int = 12
    expiry_day: int = 31
    expiring_soon_days: int = 60
    return_grace_days: int = 30
    clawback: str = field(default="negative", metadata={"choices": CLAWBACKS})

    def __post_init__(self) -> None:
        if self.expiry not in POLICIES:
            raise InvalidInput(_("Points can expire after months, once a year, or never."))
        if not 1 <= self.expiry_months <= 120:
            raise InvalidInput(_("Points can live between 1 and 120 months."))
        if not (1 <= self.expiry_month <= 12 and 1 <= self.expiry_day <= 31):
            raise InvalidInput(_("The yearly expiry needs a day of the calendar."))
        if self.clawback not in CLAWBACKS:
            raise InvalidInput(_("After a return the balance can become negative or stop at zero."))
        if not 1 <= self.return_grace_days <= 366:
            raise InvalidInput(_("Points given back after their expiry can live 1 to 366 days."))
        if not 1 <= self.expiring_soon_days <= 366:
            raise InvalidInput(_("“Expiring soon” can look 1 to 366 days ahead."))
