"""What returns refuse, in sentences."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import day


class NothingToReturn(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please choose what you want to send back, and how many. Nothing was changed."))


class TooMany(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("There are not that many pieces left to send back. Nothing was changed."))


class NotReturnable(DomainError):
    """Codes and services cannot be put back on a shelf; what is not there yet cannot be sent back."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or _("This cannot be sent back here. Please contact the shop; nothing was changed."))


class ReplacedBefore(NotReturnable):
    """Another one was sent for it: that one is an order of its own."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This was replaced already. If something is wrong with the new one, please say so at its own order; "
                "nothing was changed."
            )
        )


class WhichCodes(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please choose which codes do not work, as many as you ask for. Nothing was changed."))


class WindowOver(DomainError):
    def __init__(self, last: datetime) -> None:
        super().__init__(
            _(
                "The time for this ended on %(day)s. Please contact the shop; nothing was changed.",
                day=day(last, "long"),
            )
        )


class AlreadyOpen(DomainError):
    def __init__(self) -> None:
        super().__init__(_("A return of this order is under way already. Nothing was changed."))


class StepRefused(DomainError):
    """A case cannot go this way from where it is, or not by this hand."""

    def __init__(self) -> None:
        super().__init__(_("This was decided already. Nothing was changed; reload to see where it stands."))


class ReasonMissing(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please say why; the member reads it. Nothing was changed."))


class PaidBackBefore(DomainError):
    """Somebody gave money of this order back by hand: there is less left than the return would bring."""

    def __init__(self) -> None:
        super().__init__(
            _("Less of the payment is left than would go back: it was paid back by hand. Nothing was changed.")
        )


class NothingChosen(InvalidInput):
    def __init__(self) -> None:
        super().__init__(_("Please choose what you want to cancel, and how many. Nothing was changed."))


class NothingToGiveUp(DomainError):
    def __init__(self) -> None:
        super().__init__(_("Nothing of this can be cancelled any more. Nothing was changed."))


class BeingPacked(DomainError):
    def __init__(self) -> None:
        super().__init__(
            _(
                "This is already being packed and can no longer be cancelled here. Nothing was changed; once you have "
                "it, you can send it back."
            )
        )
