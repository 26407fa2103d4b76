"""What bookings refuse, in sentences."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from app.foundation.errors import DomainError
from app.foundation.formats import moment


class TooLateToMove(DomainError):
    def __init__(self, until: datetime) -> None:
        super().__init__(_("This booking could be moved until %(moment)s. Nothing was changed.", moment=moment(until)))


class NotYet(DomainError):
    """Nobody can have come, or stayed away, before the time."""

    def __init__(self) -> None:
        super().__init__(_("This time is still to come. Nothing was changed."))
