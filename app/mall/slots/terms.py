"""Until when whoever booked a time may think again."""

from __future__ import annotations

from datetime import timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms


@terms("slots", _l("Booked times"))
class SlotTerms:
    """Hours before a booked time begins.

    Who is too late to cancel is too late to move, too: else a move would bring the right to cancel back.
    """

    move_hours: int = term(24, _l("Hours before the start until which members may move a booking"))
    cancel_hours: int = term(
        24,
        _l("Hours before the start until which members may cancel a booking"),
        _l("They are paid back in full then. Later, only our colleagues can cancel."),
    )

    def __post_init__(self) -> None:
        if not all(0 <= hours <= 24 * 60 for hours in (self.move_hours, self.cancel_hours)):
            raise InvalidInput(_("Bookings can be moved and cancelled until between 0 and 1,440 hours before."))
        if self.move_hours < self.cancel_hours:
            raise InvalidInput(
                _(
                    "A booking that cannot be cancelled any more must not be moved either: please set at least %(num)s "
                    "hours for moving, or fewer for cancelling.",
                    num=self.cancel_hours,
                )
            )

    @property
    def to_move(self) -> timedelta:
        return timedelta(hours=self.move_hours)

    @property
    def to_cancel(self) -> timedelta:
        return timedelta(hours=self.cancel_hours)
