"""Short ways to put members on the ladder and to let months pass."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger import actions as ledger
from app.loyalty.tiers.actions import install_defaults
from app.loyalty.tiers.jobs import review_tiers
from app.loyalty.tiers.models import Membership, Tier
from app.loyalty.tiers.queries import history, tiers_of

SHANGHAI = ZoneInfo("Asia/Shanghai")


def on(year, month, day, at="12:00", *, zone=SHANGHAI):
    """A moment in the programme's timezone: ``on(2026, 5, 31, "23:59:59")``."""
    return datetime.combine(date(year, month, day), time.fromisoformat(at), tzinfo=zone).astimezone(UTC)


def tier(member_id):
    db.session.rollback()
    return tiers_of([member_id])[member_id].code


def put_on(code, *member_ids, since):
    """These members came to a tier at this moment."""
    with transaction() as session:
        install_defaults()
        tier_id = session.scalar(sa.select(Tier.id).where(Tier.code == code))
        for member_id in member_ids:
            session.merge(Membership(member_id=member_id, tier_id=tier_id, since=since, recheck=False))


def earn(member_id, points, *, at, key):
    """Points for something that is no purchase."""
    with transaction():
        ledger.award(
            member_id=member_id,
            amount=Points(points),
            key=key,
            kind="checkin",
            explanation={"code": "opening", "steps": []},
            occurred_at=at,
            now=at,
        )


def review(at, **more):
    return review_tiers(now=at, **more)


def reasons(member_id):
    return [entry.change.reason for entry in history(member_id)]


def latest(member_id):
    return history(member_id)[0].change
