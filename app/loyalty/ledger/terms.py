"""How long points live. Part of the programme's terms."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms
from app.loyalty.ledger.rules import POLICIES, ExpiryPolicy

CLAWBACKS = {
    "negative": _l("The balance may become negative; later points fill it"),
    "stop_at_zero": _l("Take what is there and stop at zero"),
}


@terms("ledger", _l("Points"))
class LedgerTerms:
    """``expiry`` and its figures are the programme's ``ExpiryPolicy``; an earning rule may have another one."""

    expiry: str = term("months", _l("When points expire"), choices=POLICIES)
    expiry_months: int = term(
        12, _l("Months that points live"), _l("Where they expire after some months, or after inactivity.")
    )
    expiry_month: int = term(12, _l("Month of the yearly expiry"), _l("1 to 12."))
    expiry_day: int = term(31, _l("Day of the yearly expiry"), _l("The day itself still counts."))
    expiring_soon_days: int = term(60, _l("“Expiring soon” looks ahead, in days"))
    return_grace_days: int = term(
        30, _l("Grace for points given back, in days"), _l("Where the shop caused a return and the points had expired.")
    )
    clawback: str = term("negative", _l("When a return takes back more than is there"), choices=CLAWBACKS)

    def __post_init__(self) -> None:
        self.policy()  # Raises for a policy that makes no sense.
        if self.clawback not in CLAWBACKS:
            raise InvalidInput(_("After a return the balance can become negative or stop at zero."))
        if not 1 <= self.return_grace_days <= 366:
            raise InvalidInput(_("Points given back after their expiry can live 1 to 366 days."))
        if not 1 <= self.expiring_soon_days <= 366:
            raise InvalidInput(_("“Expiring soon” can look 1 to 366 days ahead."))

    def policy(self) -> ExpiryPolicy:
        return ExpiryPolicy(kind=self.expiry, months=self.expiry_months, month=self.expiry_month, day=self.expiry_day)
