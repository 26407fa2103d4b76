"""What payments refuse, in sentences."""

from __future__ import annotations

from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import money
from app.foundation.money import Money


class NotCollectable(InvalidInput):
    """No gateway would take this amount."""

    def __init__(self, amount: Money, least: Money) -> None:
        super().__init__(
            _(
                "%(amount)s cannot be collected: cash is taken from %(least)s on. Nothing was ordered.",
                amount=money(amount),
                least=money(least),
            )
        )


class RefundTooLarge(DomainError):
    """More than what was paid and not promised back yet."""

    def __init__(self, rest: Money) -> None:
        super().__init__(
            _("No more than %(rest)s of this payment can be paid back. Nothing was changed.", rest=money(rest))
        )


class RefundDiffers(DomainError):
    """The same key came before with another amount: two different facts under one name."""

    def __init__(self) -> None:
        super().__init__(_("This was paid back already, with another amount. Nothing was changed."))


class AmountDiffers(DomainError):
    """The gateway reports an amount that is not the one we asked for. Nothing is booked; somebody has to look."""

    def __init__(self, reported: Money, ours: Money) -> None:
        super().__init__(
            _(
                "The gateway reports %(reported)s where our books say %(ours)s. Nothing was booked.",
                reported=money(reported),
                ours=money(ours),
            )
        )
