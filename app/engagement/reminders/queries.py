"""Who wants to be reminded, and what has been looked at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import sqlalchemy as sa

from app.engagement.reminders.models import ExpiryLook, Unreminded
from app.engagement.reminders.rules import Look
from app.foundation.database import any_of, db


def wants_reminders(member_id: int) -> bool:
    """Everybody does who has not switched it off."""
    return db.session.get(Unreminded, member_id) is None


def unreminded(member_ids: Collection[int]) -> set[int]:
    """Those of them who have switched it off."""
    return set(db.session.scalars(sa.select(Unreminded.member_id).where(any_of(Unreminded.member_id, member_ids))))


def looks_done(since: date) -> set[Look]:
    """Which looks at days from ``since`` on are behind us."""
    rows = db.session.execute(sa.select(ExpiryLook.last_day, ExpiryLook.look).where(ExpiryLook.last_day >= since))
    return {(last_day, look) for last_day, look in rows}
