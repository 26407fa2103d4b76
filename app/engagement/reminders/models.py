"""Who is told about points that expire, who was, and who does not want to be."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Model, reference

_WAITING = sa.text("at IS NULL")


class ExpiryReminder(Model):
    """A member is told once that ``points`` are valid until ``last_day``; ``at`` is when, ``NULL`` while it waits."""

    __tablename__ = "expiry_reminder"
    __table_args__ = (
        sa.CheckConstraint("points > 0", name="points_positive"),
        sa.Index(
            "ix_expiry_reminder_waiting",
            "last_day",
            "member_id",
            postgresql_where=_WAITING,
            sqlite_where=_WAITING,
        ),
    )

    last_day: Mapped[dt.date] = mapped_column(primary_key=True)
    member_id: Mapped[int] = reference("member.id", primary_key=True, autoincrement=False)
    points: Mapped[Amount]
    at: Mapped[dt.datetime | None]


class ExpiryLook(Model):
    """It was looked whose points expire after ``last_day``: a first time far ahead, a last time shortly before."""

    __tablename__ = "expiry_look"
    __table_args__ = (sa.CheckConstraint("look IN ('first', 'last')", name="look_known"),)

    last_day: Mapped[dt.date] = mapped_column(primary_key=True)
    look: Mapped[str] = mapped_column(sa.String(5), primary_key=True)
    found: Mapped[int]
    at: Mapped[dt.datetime]


class Unreminded(Model):
    """A member who does not want to be reminded. Everybody else does."""

    __tablename__ = "unreminded_member"

    member_id: Mapped[int] = reference("member.id", primary_key=True, autoincrement=False)
    since: Mapped[dt.datetime]
