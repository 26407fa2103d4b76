"""Tiers 等级: the ladder, where each member stands on it, and how they got there."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, BigId, Id, Json, JsonObject, Model, reference


class Tier(Model):
    """One step of the ladder. ``rank`` 0 is where everybody begins.

    ``conditions`` is how the tier is reached: ``{"match": "any", "window_months": 12, "conditions":
    [{"metric": "spend", "at_least": 50000}, {"metric": "points_earned", "at_least": 500}]}``
    with money in minor units. ``keep`` is how it is kept at the monthly review: over the last full
    ``window_months``, where ``"months": 1`` asks for that many single months that reach ``at_least`` by themselves,
    and without it all months count together. Without conditions it is kept for ever; ``{}`` is not decided yet.
    """

    __tablename__ = "tier"
    # With a condition, though it always holds: a unique index of all rows is a key to PostgreSQL, and who changes a key
    # waits for everybody who names its row. Tiers change places while members move.
    __table_args__ = (
        sa.Index(
            "uq_tier_rank",
            "rank",
            unique=True,
            postgresql_where=sa.text("rank >= 0"),
            sqlite_where=sa.text("rank >= 0"),
        ),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    rank: Mapped[int]
    name: Mapped[JsonObject]
    conditions: Mapped[JsonObject]
    keep: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class Membership(Model):
    """Where a member stands. The row is locked while a tier is reviewed.

    What happened before ``counts_from`` lifts nobody any more: it is set when a review lowers a member, who would
    otherwise be back at once by the purchases of a year ago. ``recheck`` says that something bought has come back.
    """

    __tablename__ = "membership"

    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("member.id"), primary_key=True)
    tier_id: Mapped[int] = reference("tier.id", index=True)
    since: Mapped[datetime]
    counts_from: Mapped[datetime | None]
    recheck: Mapped[bool] = mapped_column(default=False)


class TierChange(Model):
    """One step of a member's tier history, with the figures that led to it.

    ``reason`` is ``enrolled``, ``upgrade``, ``review``, ``return``, ``manual`` or ``manual_end``. ``month``
    is that of the review which lowered the member: once per month, says the database too.
    """

    __tablename__ = "tier_change"
    __table_args__ = (sa.Index(None, "member_id", "at"), sa.UniqueConstraint("member_id", "month"))

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    from_tier_id: Mapped[int | None] = reference("tier.id")
    to_tier_id: Mapped[int] = reference("tier.id")
    reason: Mapped[str] = mapped_column(sa.String(20))
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]
    month: Mapped[date | None]


class TierReview(Model):
    """The review of one month, which looks at the full months before it.

    Members up to ``last_member_id`` are done, so that a review that was interrupted goes on from there.
    """

    __tablename__ = "tier_review"

    month: Mapped[date] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_member_id: Mapped[int] = mapped_column(BigId, default=0)
    reviewed: Mapped[Amount] = mapped_column(default=0)
    lowered: Mapped[Amount] = mapped_column(default=0)


class TierGrant(Model):
    """A tier that staff gave for a time; at most one is open per member.

    ``last_day`` still counts. ``own_tier_id`` is where the member stood by their own doing when it was given.
    """

    __tablename__ = "tier_grant"
    __table_args__ = (
        sa.Index(
            "uq_tier_grant_open",
            "member_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    tier_id: Mapped[int] = reference("tier.id")
    own_tier_id: Mapped[int] = reference("tier.id")
    reason: Mapped[str] = mapped_column(sa.String(300))
    given_by: Mapped[str] = mapped_column(sa.String(120))
    given_at: Mapped[datetime]
    last_day: Mapped[date]
    ended_at: Mapped[datetime | None]
