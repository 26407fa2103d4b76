"""What a new table of check-ins would bring, for whoever is about to publish it."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from app.engagement.checkin.rules import reward
from app.engagement.checkin.terms import CheckinTerms
from app.foundation.formats import points
from app.foundation.screens.terms_registry import Effect, preview

WEEK, MONTH = 7, 30


@preview(CheckinTerms)
def a_week(in_force: CheckinTerms, draft: CheckinTerms) -> Sequence[Effect]:
    """A week of check-ins, day by day and in all, a month of them, and a month with every card bought."""
    return [
        Effect(_("The first week, day by day"), _days(in_force), _days(draft)),
        Effect(_("A week in a row"), _sum(in_force, WEEK), _sum(draft, WEEK)),
        Effect(_("30 days in a row"), _sum(in_force, MONTH), _sum(draft, MONTH)),
        Effect(_("All make-up cards of a month cost"), _cards(in_force), _cards(draft)),
    ]


def _days(terms: CheckinTerms) -> str:
    return " · ".join(points(reward(day, terms.table)) for day in range(1, WEEK + 1))


def _sum(terms: CheckinTerms, days: int) -> str:
    return _points(sum(reward(day, terms.table) for day in range(1, days + 1)))


def _cards(terms: CheckinTerms) -> str:
    return _points(terms.cards_a_month * terms.card_price)


def _points(number: int) -> str:
    return ngettext("%(amount)s point", "%(amount)s points", number, amount=points(number))
