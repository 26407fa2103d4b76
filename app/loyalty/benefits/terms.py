"""The benefits of the programme as an owner writes them. What counted at a moment, the version in force then says."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.errors import InvalidInput
from app.foundation.terms import term, terms
from app.loyalty.benefits import parsing
from app.loyalty.benefits.rules import Benefit, Birthdays

MOST_DAYS_BY_RULE = 366
LONGEST_WAIT = 120  # Days before and after a birthday: two of them never meet.


@terms("benefits", _l("Benefits"))
class BenefitTerms:
    """The shape of an entry is that of ``parsing``. There are none until ``flask setup`` or an owner writes some."""

    benefits: list[dict[str, Any]] = term([], _l("Benefits"))
    birthday_days_before: int = term(7, _l("Birthday gifts: days before the birthday"))
    birthday_days_after: int = term(
        30,
        _l("Birthday gifts: days after the birthday"),
        _l("Who was born on 29 February has their birthday on the 28th in common years."),
    )
    days_by_rule: int = term(
        30,
        _l("Benefits that a milestone or a purchase in the mall brings: for how many days"),
        _l("The day on which it comes is the first of them. What is not claimed by the last day is gone."),
    )

    def __post_init__(self) -> None:
        self.all  # noqa: B018 - parsed once here, so that nonsense is refused
        for days in (self.birthday_days_before, self.birthday_days_after):
            if type(days) is not int or not 0 <= days <= LONGEST_WAIT:
                raise InvalidInput(
                    _(
                        "A birthday gift can be claimed at most %(most)s days before and after the birthday.",
                        most=LONGEST_WAIT,
                    )
                )
        if type(self.days_by_rule) is not int or not 1 <= self.days_by_rule <= MOST_DAYS_BY_RULE:
            raise InvalidInput(_("Such a benefit is given for 1 to %(most)s days.", most=MOST_DAYS_BY_RULE))

    @cached_property
    def all(self) -> tuple[Benefit, ...]:
        return parsing.benefits(self.benefits)

    @property
    def birthdays(self) -> Birthdays:
        return Birthdays(self.birthday_days_before, self.birthday_days_after)

    def by_code(self, code: str) -> Benefit | None:
        return next((each for each in self.all if each.code == code), None)
