"""What code pools refuse, in sentences."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput


class UnusableSheet(InvalidInput):
    """Not a list of codes at all, or too long a one."""


class NoPool(DomainError):
    """The product is of another kind, perhaps since a moment ago."""

    def __init__(self) -> None:
        super().__init__(_("Only voucher products have a pool of codes. Nothing was changed."))


class NothingFree(DomainError):
    """All of it was handed out or withdrawn meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("None of these codes is free any more. Nothing was changed."))


class CodeGone(DomainError):
    """It was given back before it was shown."""

    def __init__(self) -> None:
        super().__init__(_("This code was given back and is not yours any more. Nothing was shown."))
