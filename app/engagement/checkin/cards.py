"""The make-up card 补签卡: for which days there is one, and what it costs and brings. Calculated from the days, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from app.engagement.checkin.errors import NoCardLeft, another_month, before_joining, not_offered, not_over_yet
from app.engagement.checkin.rules import ONE_DAY, Days, reward, streak
from app.engagement.checkin.terms import CheckinTerms


@dataclass(frozen=True, slots=True)
class Offer:
    """Card ``number`` of ``most`` in this month for a missed ``day``.

    The streak goes from ``before`` to ``after``, and what today's check-in pays from ``today_before`` to
    ``today_after``: a longer streak is further in its cycle, but may have its bonus day behind it. Both are
    ``None`` where today is done.
    """

    day: date
    number: int
    most: int
    price: int
    before: int
    after: int
    today_before: int | None
    today_after: int | None


def offer(day: date, days: Days, *, today: date, since: date, terms: CheckinTerms) -> Offer:
    """What a member who joined on ``since`` is offered for a day they do not have. Raises ``CannotMakeUp`` or
    ``NoCardLeft``."""
    if not terms.cards_a_month:
        raise not_offered()
    if day >= today:
        raise not_over_yet()
    if day < today.replace(day=1):
        raise another_month()
    if day < since:
        raise before_joining(since)
    number = used(days, today) + 1
    if number > terms.cards_a_month:
        raise NoCardLeft(terms.cards_a_month)
    before, after = streak(days, today), streak(days.keys() | {day}, today)
    is_open = today not in days
    return Offer(
        day=day,
        number=number,
        most=terms.cards_a_month,
        price=terms.card_price,
        before=before,
        after=after,
        today_before=reward(before + 1, terms.table) if is_open else None,
        today_after=reward(after + 1, terms.table) if is_open else None,
    )


def used(days: Days, today: date) -> int:
    """How many cards the member has used this month: each was for a day of the month in which it was bought."""
    return sum(not paid and (day.year, day.month) == (today.year, today.month) for day, paid in days.items())


def missed(days: Days, *, today: date, since: date) -> frozenset[date]:
    """The days of this month, up to yesterday, that a member had since joining and did not check in on."""
    month = (today.replace(day=1) + n * ONE_DAY for n in range(today.day - 1))
    return frozenset(day for day in month if day >= since and day not in days)
