"""Who is reminded of points that expire, and how long before."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms

FARTHEST = 180
MOST_POINTS = 1_000_000
MOST_MAILS = 5_000  # The outbox delivers 6,000 an hour; the rest is for those who wait for a code.


@terms("reminders", _l("Reminders"))
class ReminderTerms:
    """``days_ahead`` before their last day, members are told of ``least_points`` or more that expire after it."""

    active: bool = term(True, _l("Remind members before points expire"), _l("By mail, once for each day of expiry."))
    days_ahead: int = term(30, _l("Days ahead"), _l("Counted to the last day on which the points can be spent."))
    least_points: int = term(50, _l("Least points worth a mail"), _l("Fewer expire without one."))
    mails_an_hour: int = term(3_000, _l("Mails an hour"), _l("More wait for the next hour; none leaves at night."))

    def __post_init__(self) -> None:
        if not 1 <= self.days_ahead <= FARTHEST:
            raise InvalidInput(_("Members can be reminded between 1 and %(most)s days ahead.", most=FARTHEST))
        if not 1 <= self.least_points <= MOST_POINTS:
            raise InvalidInput(_("Between 1 and %(most)s points can be worth a mail.", most=MOST_POINTS))
        if not 1 <= self.mails_an_hour <= MOST_MAILS:
            raise InvalidInput(_("Between 1 and %(most)s mails an hour are possible.", most=MOST_MAILS))
