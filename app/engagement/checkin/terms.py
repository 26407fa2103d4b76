"""What a daily check-in pays."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

MOST_POINTS = 10_000
LONGEST_CYCLE = 31
HIGHEST_MULTIPLIER = 100


@terms("checkin", _l("Check-in"))
class CheckinTerms:
    """``points`` a day; the last day of each cycle of ``cycle_days`` pays ``last_day_multiplier`` times as much."""

    points: int = term(5, _l("Points a day"))
    cycle_days: int = term(7, _l("Days in a cycle"), _l("After the last day the cycle begins again."))
    last_day_multiplier: int = term(2, _l("The last day pays times"), _l("2 doubles it."))

    def __post_init__(self) -> None:
        if not 1 <= self.points <= MOST_POINTS:
            raise InvalidInput(_("A check-in can pay between 1 and %(most)s points.", most=MOST_POINTS))
        if not 1 <= self.cycle_days <= LONGEST_CYCLE:
            raise InvalidInput(_("A check-in cycle can be between 1 and %(most)s days long.", most=LONGEST_CYCLE))
        if not 1 <= self.last_day_multiplier <= HIGHEST_MULTIPLIER:
            raise InvalidInput(_("The last day can pay between 1 and %(most)s times as much.", most=HIGHEST_MULTIPLIER))
