"""What the ledger refuses, in sentences for the person; the business key is for developers.

Every sentence says what happened, that nothing was booked, and where it helps what to do. The key stands in
``error.key`` and as a note below the traceback, never on a page.
"""

from __future__ import annotations

from datetime import datetime

from flask_babel import format_date
from flask_babel import gettext as _

from app.foundation.errors import DomainError, InvalidInput, NotFound
from app.foundation.formats import points
from app.foundation.points import LIMIT, Quantity


class AboutKey(DomainError):
    """A refusal that has to do with one business key."""

    def __init__(self, key: str, sentence: str) -> None:
        self.key = key
        self.add_note(key)
        super().__init__(sentence)


class InvalidAmount(AboutKey, InvalidInput):
    """Zero, the wrong sign, or more than a ledger can hold."""

    def __init__(self, key: str, amount: Quantity | int) -> None:
        sentence = _(
            "%(amount)s cannot be booked, only whole amounts from 1 to %(most)s. Nothing was booked.",
            amount=points(amount),
            most=points(LIMIT),
        )
        super().__init__(key, sentence)


class BalanceTooLarge(InvalidAmount):
    """The wallet would hold more than a ledger can."""

    def __init__(self, key: str) -> None:
        sentence = _("The account cannot hold more than %(most)s. Nothing was booked.", most=points(LIMIT))
        AboutKey.__init__(self, key, sentence)


class InvalidText(AboutKey, InvalidInput):
    """A key that is too long, or a text that no database can keep: with a NUL, or half a character."""

    def __init__(self, key: str) -> None:
        sentence = _("That has signs in it that cannot be stored, or is too long. Nothing was booked.")
        super().__init__(key, sentence)


class InvalidMoment(InvalidInput):
    """A fact that is a lifetime away, or far ahead."""

    def __init__(self, moment: datetime) -> None:
        day = format_date(moment.date())
        super().__init__(_("%(day)s is too far away. Nothing was booked. Please check the date.", day=day))


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


class KeyReused(AboutKey):
    """The same business key came again with different content."""

    def __init__(self, key: str) -> None:
        super().__init__(
            key,
            _("This was booked before, with other figures. Nothing was booked again. The history shows what it was."),
        )


class UnknownPending(AboutKey, NotFound):
    def __init__(self, key: str) -> None:
        super().__init__(key, _("There is nothing waiting here to be settled. Nothing was booked."))


class AlreadyResolved(AboutKey):
    """A pending transfer is posted or voided once."""

    def __init__(self, key: str) -> None:
        super().__init__(key, _("This was settled before. Nothing was booked again. The history shows how it ended."))


class UnknownTransfer(AboutKey, NotFound):
    def __init__(self, key: str) -> None:
        super().__init__(key, _("What you want to take back was never booked. Nothing was booked now."))


class NotReversible(AboutKey):
    """Only a transfer that moved something, and is not itself a reversal, can be taken back; and only once in full."""

    def __init__(self, key: str) -> None:
        super().__init__(
            key,
            _(
                "This cannot be taken back, or no longer by that much. Nothing was booked. "
                "The history shows what was taken back before."
            ),
        )


class NoWallet(NotFound):
    """The member was never given a wallet in this ledger."""

    def __init__(self, member_id: int) -> None:
        self.member_id = member_id
        self.add_note(f"member {member_id}")
        super().__init__(_("This membership has no account yet. Nothing was booked. Please contact us."))
