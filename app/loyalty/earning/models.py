"""What the rules of earning have to remember: budgets used, rewards given, milestones reached."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, Model, reference


class Budget(Model):
    """How much of a rule's budget was used, by the rule's code: ``purchase``, ``campaign:double``, ``reward:quiz``.

    Counted from when the rule first had a budget. What is returned does not fill it again.
    """

    __tablename__ = "earning_budget"
    __table_args__ = (sa.CheckConstraint("used >= 0", name="used_not_negative"),)

    rule: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    used: Mapped[Amount] = mapped_column(default=0)


class Rewarded(Model):
    """Something that a member did and was rewarded for, once: ``subject`` says what, ``quiz:spring`` or a date.

    ``points`` is 0 where a cap left nothing.
    """

    __tablename__ = "rewarded"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "kind", "subject"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
        sa.Index("ix_rewarded_member_id_kind_at", "member_id", "kind", "at"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    kind: Mapped[str] = mapped_column(sa.String(30))
    subject: Mapped[str] = mapped_column(sa.String(80))
    points: Mapped[Amount]
    at: Mapped[datetime]


class MilestoneReached(Model):
    """A member earned what a milestone asks for, in the period that begins with ``period``; once.

    ``lost_at`` is when a return undid it; reached again it is theirs again, ``times`` counts how often.
    """

    __tablename__ = "milestone_reached"
    __table_args__ = (sa.UniqueConstraint("member_id", "code", "period"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    code: Mapped[str] = mapped_column(sa.String(30))
    period: Mapped[date]
    points: Mapped[Amount]
    benefit: Mapped[str] = mapped_column(sa.String(30), default="")
    times: Mapped[int] = mapped_column(default=1)
    at: Mapped[datetime]
    lost_at: Mapped[datetime | None]
