"""What time slots refuse, in sentences."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.errors import DomainError, InvalidInput


class TimeMissing(InvalidInput):
    """A service is given at a time, and none was chosen."""

    def __init__(self) -> None:
        self.reason = _("Please choose a time on its page.")
        super().__init__(_("Please choose a time first. Nothing was ordered."))


class TimeGone(DomainError):
    """The slot has begun, was closed, or is not one of this service."""

    def __init__(self) -> None:
        self.reason = _("This time can no longer be booked.")
        super().__init__(_("This time can no longer be booked. Nothing was ordered; please choose another one."))


class TimeFull(DomainError):
    """There are not so many places left."""

    def __init__(self, free: int) -> None:
        self.free = free
        left = ngettext("Only %(num)s place is left at this time.", "Only %(num)s places are left at this time.", free)
        self.reason = left if free else _("This time is fully booked.")
        super().__init__(
            _("%(reason)s Nothing was ordered; please choose fewer places or another time.", reason=self.reason)
            if free
            else _("This time is fully booked. Nothing was ordered; please choose another one.")
        )


class BookedByItself(InvalidInput):
    """A booked time is an order of its own: it is cancelled, moved and attended by itself."""

    def __init__(self) -> None:
        super().__init__(_("A time is booked by itself. Please order the other things separately."))
