"""What a member has checked in."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from app.engagement.checkin import rules
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation.database import db, fetch
from app.foundation.terms import current


def days_of(member_id: int) -> rules.Days:
    """Every day that the member has, and what it paid: 0 if it was made up. One query, one small row a day."""
    return dict(fetch(_DAYS, {"member": member_id}))


_DAYS = sa.select(CheckIn.day, CheckIn.points).where(CheckIn.member_id == sa.bindparam("member"))


def streak(member_id: int, *, today: date) -> int:
    return rules.streak(days_of(member_id), today)


def today(member_id: int, *, today: date) -> rules.Today:
    """Where the member stands today: done or not, the streak, today's reward and the next bonus."""
    return today_of(days_of(member_id), today=today)


def today_of(days: rules.Days, *, today: date) -> rules.Today:
    return rules.today_of(days, today, current(CheckinTerms).table)


def month(days: rules.Days, first_day: date, *, today: date, since: date) -> list[list[rules.CalendarDay | None]]:
    """The weeks of the month that begins on ``first_day``, from the member's ``days``."""
    return rules.month_of(first_day, days, today=today, since=since, table=current(CheckinTerms).table)


def recent(member_id: int, *, limit: int) -> list[CheckIn]:
    """The latest check-ins, newest first."""
    query = sa.select(CheckIn).where(CheckIn.member_id == member_id).order_by(CheckIn.day.desc()).limit(limit)
    return list(db.session.scalars(query))
