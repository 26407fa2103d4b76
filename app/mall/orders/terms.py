"""How long people have for each step of an order."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms


@terms("orders", _l("Orders"))
class OrderTerms:
    """``arrives_after_days`` after shipping, and ``served_after_days`` after paying for something
    without a parcel, an order counts as received even if nobody says so."""

    pay_within_minutes: int = term(30, _l("Minutes to pay"), _l("An unpaid order closes after that."))
    return_window_days: int = term(7, _l("Days to return"), _l("Points of an order become spendable after that."))
    arrives_after_days: int = term(10, _l("Days until a parcel counts as received"))
    served_after_days: int = term(30, _l("Days until a service counts as received"))
    offset_points: int = term(
        100, _l("Points that are worth one unit of money"), _l("When they pay a part of the goods instead of money.")
    )
    offset_percent: int = term(
        50, _l("Part of the goods that points may pay, in percent"), _l("0: points pay only what is priced in points.")
    )

    def __post_init__(self) -> None:
        if not 5 <= self.pay_within_minutes <= 24 * 60:
            raise InvalidInput(_("An order can wait for its payment between 5 minutes and a day (1,440 minutes)."))
        days = (self.return_window_days, self.arrives_after_days, self.served_after_days)
        if not all(0 <= count <= 365 for count in days):
            raise InvalidInput(_("The periods of an order take between 0 and 365 days."))

        if not 1 <= self.offset_points <= 1_000_000:
            raise InvalidInput(_("Between 1 and 1,000,000 points can be worth one unit of money."))
        if not 0 <= self.offset_percent <= 100:
            raise InvalidInput(_("Points can pay between 0 and 100 percent of the goods."))

    @property
    def pay_within(self) -> timedelta:
        return timedelta(minutes=self.pay_within_minutes)
