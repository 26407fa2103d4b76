"""What bringing a friend pays, and when."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

MOST_POINTS = 1_000_000
HIGHEST_SPEND = 1_000_000
LONGEST = 365
HIGHEST_CAP = 10_000


@terms("referrals", _l("Referrals"))
class ReferralTerms:
    """``least_spend`` in whole units of the programme's currency. What was promised on joining stays promised."""

    inviter_points: int = term(100, _l("Points for the inviter"), _l("0: none."))
    friend_points: int = term(50, _l("Points for the friend"), _l("0: none."))
    least_spend: int = term(
        100, _l("What the friend has to spend"), _l("In whole units of the currency; money really paid.")
    )
    within_days: int = term(30, _l("Days the friend has for it"), _l("Counted from joining, by the date of purchase."))
    wait_days: int = term(
        7,
        _l("Days until a purchase counts"),
        _l(
            "What is sent back by then does not count; orders of the mall count when completed."
            " 0: at once, and what is sent back later has counted."
        ),
    )
    monthly_cap: int = term(20, _l("Rewards for one inviter in a month"), _l("More are refused and kept for review."))
    link_days: int = term(30, _l("Days a link is remembered"), _l("By the browser in which it was opened."))

    def __post_init__(self) -> None:
        if not all(0 <= points <= MOST_POINTS for points in (self.inviter_points, self.friend_points)):
            raise InvalidInput(_("An invitation can bring between 0 and %(most)s points.", most=MOST_POINTS))
        if not 1 <= self.least_spend <= HIGHEST_SPEND:
            raise InvalidInput(_("The friend has to spend between 1 and %(most)s.", most=HIGHEST_SPEND))
        if not (1 <= self.within_days <= LONGEST and 1 <= self.link_days <= LONGEST):
            raise InvalidInput(_("These periods take between 1 and %(most)s days.", most=LONGEST))
        if not 0 <= self.wait_days <= LONGEST:
            raise InvalidInput(_("A purchase can wait between 0 and %(most)s days.", most=LONGEST))
        if not 1 <= self.monthly_cap <= HIGHEST_CAP:
            raise InvalidInput(_("Between 1 and %(most)s rewards a month are possible.", most=HIGHEST_CAP))

    @property
    def within(self) -> timedelta:
        return timedelta(days=self.within_days)

    @property
    def wait(self) -> timedelta:
        return timedelta(days=self.wait_days)

    @property
    def link_period(self) -> timedelta:
        return timedelta(days=self.link_days)
