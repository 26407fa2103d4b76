"""What the ledger refuses, in sentences."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput, NotFound
from app.foundation.formats import points
from app.foundation.points import Quantity


class InvalidAmount(InvalidInput):
    """Zero, the wrong sign, or more than a ledger can hold."""


class InvalidMoment(InvalidInput):
    """A fact that is a lifetime away, or far ahead."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(_("%(day)s is too far away to be booked. Nothing was moved.", day=moment.date().isoformat()))


class InsufficientPoints(DomainError):
    """The wallet has less available than was asked for. ``lacking`` is how much less."""

    def __init__(self, *, needed: Quantity, available: Quantity) -> None:
        self.needed, self.available, self.lacking = needed, available, needed - available
        super().__init__(
            _(
                "That takes %(needed)s points and %(available)s are available: %(lacking)s are missing.",
                needed=points(needed),
                available=points(available),
                lacking=points(self.lacking),
            )
        )


class WalletFrozen(DomainError):
    """A frozen wallet receives, but does not spend."""

    def __init__(self) -> None:
        super().__init__(_("This account is frozen: it can receive points, but not spend them. Please contact us."))


class KeyReused(DomainError):
    """The same business key came again with different content."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(_("“%(key)s” was already booked with other figures. Nothing was moved.", key=key))


class UnknownPending(NotFound):
    def __init__(self, key: str) -> None:
        super().__init__(_("There is no pending transfer “%(key)s”.", key=key))


class AlreadyResolved(DomainError):
    """A pending transfer is posted or voided once."""

    def __init__(self, key: str) -> None:
        super().__init__(_("“%(key)s” was already settled. Nothing was moved.", key=key))


class UnknownTransfer(NotFound):
    def __init__(self, key: str) -> None:
        super().__init__(_("There is no transfer “%(key)s”.", key=key))


class NotReversible(DomainError):
    """Only a transfer that moved something, and is not itself a reversal, can be taken back; and only once in full."""

    def __init__(self, key: str) -> None:
        super().__init__(_("“%(key)s” cannot be taken back, or not by that much. Nothing was moved.", key=key))


class NoWallet(NotFound):
    def __init__(self, member_id: int) -> None:
        super().__init__(_("Member %(id)s has no account in this ledger.", id=member_id))
