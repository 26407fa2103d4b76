"""The daily check-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.engagement.checkin import explanations as _explanations  # noqa: F401 - registers how a check-in reads
from app.engagement.checkin import queries, rules
from app.engagement.checkin.events import CheckedIn
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock
from app.foundation.database import insert_new
from app.foundation.events import publish
from app.foundation.points import Points
from app.foundation.terms import current
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.explanations import explanation, step


@dataclass(frozen=True, slots=True)
class TodaysCheckIn:
    """``created`` is false when the day had been checked in before, which is no error and pays nothing again."""

    day: date
    points: Points
    streak: int
    created: bool


def check_in(*, member_id: int, now: datetime) -> TodaysCheckIn:
    """Check the member in for today's date in the programme's timezone, and award it, once.

    Publishes ``CheckedIn``, unless the day was done before. Of two clicks at the same moment
    the second one waits at the unique constraint and then finds the day done.
    """
    day = clock.local_date(now, clock.programme_zone())
    terms = current(CheckinTerms)
    days = queries.days_of(member_id)
    streak = rules.streak(days.keys() | {day}, day)
    points = rules.reward(streak, terms)
    inserted = insert_new(
        CheckIn,
        [{"member_id": member_id, "day": day, "points": points, "at": now}],
        unless=["member_id", "day"],
        returning=[CheckIn.id],
    )
    if not inserted:
        paid = queries.days_of(member_id)[day]
        return TodaysCheckIn(day, Points(paid), streak, created=False)
    ledger.award(
        member_id=member_id,
        amount=Points(points),
        key=f"checkin:{member_id}:{day}",
        kind="checkin",
        explanation=_why(day, streak, terms),
        occurred_at=now,
        now=now,
    )
    publish(CheckedIn(member_id, day, now))
    return TodaysCheckIn(day, Points(points), streak, created=True)


def _why(day: date, streak: int, terms: CheckinTerms) -> dict[str, Any]:
    facts = {"cycle_days": terms.cycle_days, "multiplier": terms.last_day_multiplier}
    steps = [step("checkin.base", points=terms.points)]
    if rules.is_bonus(streak, terms):
        steps.append(step("checkin.bonus", points=rules.reward(streak, terms), **facts))
    elif terms.last_day_multiplier > 1:
        steps.append(step("checkin.no_bonus", place=rules.place_in_cycle(streak, terms), **facts))
    return explanation("checkin.daily", steps=steps, day=day.isoformat(), streak=streak)
