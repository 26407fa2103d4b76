"""What time slots refuse, in sentences."""

from __future__ import annotations

from datetime import date, datetime, time

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import day as day_in_words
from app.foundation.formats import moment


class TimeMissing(InvalidInput):
    """A service is given at a time, and none was chosen."""

    def __init__(self) -> None:
        self.reason = _("Please choose a time on its page.")
        super().__init__(_("Please choose a time first. Nothing was ordered."))


class TimeGone(DomainError):
    """The slot has begun, was closed, or is not one of this service."""

    def __init__(self) -> None:
        self.reason = _("This time can no longer be booked.")
        super().__init__(_("This time can no longer be booked. Nothing was changed; please choose another one."))


class TimeFull(DomainError):
    """There are not so many places left."""

    def __init__(self, free: int) -> None:
        self.free = free
        left = ngettext("Only %(num)s place is left at this time.", "Only %(num)s places are left at this time.", free)
        self.reason = left if free else _("This time is fully booked.")
        super().__init__(
            _("%(reason)s Nothing was changed; please choose fewer places or another time.", reason=self.reason)
            if free
            else _("This time is fully booked. Nothing was changed; please choose another one.")
        )


class BookedByItself(InvalidInput):
    """A booked time is an order of its own: it is cancelled, moved and attended by itself."""

    def __init__(self) -> None:
        super().__init__(_("A time is booked by itself. Please order the other things separately."))


class TimesOverlap(DomainError):
    """At this place something else is given then."""

    def __init__(self, when: datetime) -> None:
        super().__init__(
            _(
                "At %(moment)s this place is taken by another time. Nothing was changed; please choose another time "
                "or another place.",
                moment=moment(when),
            )
        )


class TimePassed(DomainError):
    """It has begun, or would have."""

    def __init__(self) -> None:
        super().__init__(_("This time has begun already. Nothing was changed."))


class TooFewPlaces(DomainError):
    """More places are booked than there would be."""

    def __init__(self, taken: int) -> None:
        super().__init__(
            ngettext(
                "%(num)s place is booked already, so there cannot be fewer. Nothing was changed.",
                "%(num)s places are booked already, so there cannot be fewer. Nothing was changed.",
                taken,
            )
        )


class NotBooked(DomainError):
    """The booking was cancelled, attended or missed meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("This booking is not waiting for its time any more. Nothing was changed."))


class NoSuchTime(InvalidInput):
    """Clocks go forward over it."""

    def __init__(self, day: date, at: time) -> None:
        super().__init__(
            _(
                "%(time)s does not exist on %(day)s: clocks go forward over it. Please choose another time.",
                time=f"{at:%H:%M}",
                day=day_in_words(day),
            )
        )
