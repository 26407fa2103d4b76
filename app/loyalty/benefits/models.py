"""Benefits 权益 given to single persons, and what members have claimed."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonObject, Model, reference

LONGEST_CODE = 30
LONGEST_REASON = 300


class BenefitGrant(Model):
    """A benefit that staff, or a rule, gave one person. ``first_day`` and ``last_day`` both count.

    ``code`` is the benefit's in the terms; what it is worth is what the terms say at the time. ``key`` names the fact
    behind a grant by rule, which gives it once.
    """

    __tablename__ = "benefit_grant"
    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="ends_after_it_begins"),
        sa.Index(None, "member_id"),
        sa.Index(None, "last_day"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    code: Mapped[str] = mapped_column(sa.String(LONGEST_CODE))
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(sa.String(LONGEST_REASON))
    given_by: Mapped[str] = mapped_column(sa.String(120))
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    key: Mapped[str | None] = mapped_column(sa.String(160), unique=True)


class BenefitClaim(Model):
    """What a member claimed, as it was then. Once per ``series`` and ``period``, says the database.

    ``series`` is what counts together: all birthday gifts are one, whatever tier they belong to. ``period`` is
    ``2026`` for a birthday of that year, ``2026-06`` for a month, ``once`` for ever, ``given-7`` for what was given by
    hand.
    """

    __tablename__ = "benefit_claim"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "series", "period"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    series: Mapped[str] = mapped_column(sa.String(LONGEST_CODE))
    period: Mapped[str] = mapped_column(sa.String(30))
    code: Mapped[str] = mapped_column(sa.String(LONGEST_CODE))
    kind: Mapped[str] = mapped_column(sa.String(20))
    name: Mapped[JsonObject]
    points: Mapped[Amount]
    version: Mapped[int]
    claimed_at: Mapped[datetime]


class Voucher(Model):
    """A gift that is no points: staff hand it out for its code, once."""

    __tablename__ = "benefit_voucher"
    __table_args__ = (sa.UniqueConstraint("claim_id", "position"), sa.Index(None, "member_id"))

    id: Mapped[Id]
    claim_id: Mapped[int] = reference("benefit_claim.id")
    member_id: Mapped[int] = reference("member.id")
    position: Mapped[int]
    what: Mapped[JsonObject]
    code: Mapped[str] = mapped_column(sa.String(12), unique=True)
    redeemed_at: Mapped[datetime | None]
    redeemed_by: Mapped[str | None] = mapped_column(sa.String(120))
