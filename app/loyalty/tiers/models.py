"""Tiers 等级: the ladder, where each member stands on it, and how they got there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import BigId, Id, Json, JsonObject, Model, reference


class Tier(Model):
    """One step of the ladder. ``rank`` 0 is where everybody begins.

    ``conditions`` is data: ``{"match": "any", "window_months": 12, "conditions":
    [{"metric": "spend", "at_least": 50000}, {"metric": "points_earned", "at_least": 500}]}``
    with money in minor units.
    """

    __tablename__ = "tier"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    rank: Mapped[int] = mapped_column(unique=True)
    name: Mapped[JsonObject]
    conditions: Mapped[JsonObject]


class Membership(Model):
    """Where a member stands. The row is locked while a tier is reviewed."""

    __tablename__ = "membership"

    member_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("member.id"), primary_key=True)
    tier_id: Mapped[int] = reference("tier.id", index=True)
    since: Mapped[datetime]


class TierChange(Model):
    """One step of a member's tier history, with the figures that led to it."""

    __tablename__ = "tier_change"
    __table_args__ = (sa.Index(None, "member_id", "at"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    from_tier_id: Mapped[int | None] = reference("tier.id")
    to_tier_id: Mapped[int] = reference("tier.id")
    reason: Mapped[str] = mapped_column(sa.String(20))
    evidence: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime]
