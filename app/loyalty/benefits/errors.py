"""What may be wrong with a gift."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError


class NothingToClaim(DomainError):
    """The gift is not (or no longer) the member's, or its time is not now."""

    def __init__(self) -> None:
        super().__init__(_("This gift cannot be claimed just now. Nothing was changed."))


class ClaimedBefore(DomainError):
    """Claimed in this period already, perhaps by a second click."""

    def __init__(self) -> None:
        super().__init__(_("You have claimed this gift already. It is yours once."))


class HandedOut(DomainError):
    """A colleague was faster."""

    def __init__(self) -> None:
        super().__init__(_("This gift was handed out already. Nothing was changed."))
