"""What check-in refuses, in sentences."""

from __future__ import annotations

from datetime import date

from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from app.foundation.errors import DomainError
from app.foundation.formats import points


class CannotMakeUp(DomainError):
    """This day is none that a make-up card is for; the sentence says why."""


class NoCardLeft(DomainError):
    """The member has used all make-up cards of the month."""

    def __init__(self, most: int) -> None:
        super().__init__(
            ngettext(
                "You have used your make-up card of this month. Next month there is a new one.",
                "You have used all %(num)s make-up cards of this month. Next month there are new ones.",
                most,
            )
        )


class CardPriceChanged(DomainError):
    """A card costs something else than the member saw."""

    def __init__(self, *, old: int, new: int) -> None:
        super().__init__(
            _(
                "A make-up card costs %(new)s points now, no longer %(old)s. No points were used; if you still want "
                "it, confirm once more.",
                new=points(new),
                old=points(old),
            )
        )


def not_offered() -> CannotMakeUp:
    return CannotMakeUp(_("There are no make-up cards at the moment."))


def not_over_yet() -> CannotMakeUp:
    return CannotMakeUp(_("Only days that are over can be made up. No points were used."))


def another_month() -> CannotMakeUp:
    return CannotMakeUp(_("Make-up cards are for days of the current month. No points were used."))


def before_joining(since: date) -> CannotMakeUp:
    return CannotMakeUp(
        _("You joined on %(day)s; days before that cannot be made up.", day=format_date(since, "medium"))
    )
