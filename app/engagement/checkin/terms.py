"""What a daily check-in pays, and what it costs to make up for a missed one."""

from __future__ import annotations

import re
from functools import cached_property

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms
from app.loyalty.ledger.actions import ExpiryPolicy

MOST_POINTS = 10_000
LONGEST_CYCLE = 31
MOST_CARDS = 31
HIGHEST_PRICE = 100_000
LONGEST_LIFE = 120
SEPARATOR = re.compile(r"[\s,，、]+")  # Commas as they are typed in China, too.
WHOLE = re.compile(r"[0-9]{1,9}")


@terms("checkin", _l("Check-in"))
class CheckinTerms:
    """``rewards`` are the points for each day of a cycle, in order; after its last day the cycle begins again.

    A member can buy ``cards_a_month`` make-up cards in a month, for ``card_price`` points each: as much as ten
    ordinary days bring, so that a card keeps a streak alive and is never a way to earn.
    """

    rewards: str = term(
        "5 5 5 5 5 5 10",
        _l("Points for each day in a row"),
        _l("One whole number for each day, with spaces between them. After the last day the cycle begins again."),
    )
    cards_a_month: int = term(
        2, _l("Make-up cards a month"), _l("So many missed days a member can make up in a month; 0 offers no cards.")
    )
    card_price: int = term(50, _l("Points for a make-up card"))
    expiry_months: int = term(
        0,
        _l("Months that points from check-ins live"),
        _l("To the month's end; 0 leaves it to the programme's expiry."),
    )

    def __post_init__(self) -> None:
        parts = SEPARATOR.split(self.rewards.strip())
        if not all(WHOLE.fullmatch(part) for part in parts):
            raise InvalidInput(
                _(
                    "The points for each day are whole numbers with spaces between them, for example %(example)s.",
                    example="5 5 5 5 5 5 10",
                )
            )
        if len(parts) > LONGEST_CYCLE:
            raise InvalidInput(_("A check-in cycle can be between 1 and %(most)s days long.", most=LONGEST_CYCLE))
        if not all(1 <= int(part) <= MOST_POINTS for part in parts):
            raise InvalidInput(_("A check-in can pay between 1 and %(most)s points.", most=MOST_POINTS))
        if not 0 <= self.cards_a_month <= MOST_CARDS:
            raise InvalidInput(_("A member can have between 0 and %(most)s make-up cards a month.", most=MOST_CARDS))
        if not 1 <= self.card_price <= HIGHEST_PRICE:
            raise InvalidInput(_("A make-up card can cost between 1 and %(most)s points.", most=HIGHEST_PRICE))
        if not 0 <= self.expiry_months <= LONGEST_LIFE:
            raise InvalidInput(_("Points from check-ins can live 1 to %(most)s months.", most=LONGEST_LIFE))

    @property
    def expiry(self) -> ExpiryPolicy | None:
        """When these points stop living; ``None`` where the programme's policy decides."""
        return ExpiryPolicy(kind="months", months=self.expiry_months) if self.expiry_months else None

    @cached_property
    def table(self) -> tuple[int, ...]:
        """What day 1, 2, … of a cycle pays."""
        return tuple(int(part) for part in SEPARATOR.split(self.rewards.strip()))
