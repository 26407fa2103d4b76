"""Referrals 邀请: who can invite, from which browsers, and whom they brought."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.engagement.referrals.rules import REASONS, STATES
from app.foundation.database import Amount, Id, Model, reference


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


class Inviter(Model):
    """A member's referral code. Locking this row puts the rewards of one inviter in a queue."""

    __tablename__ = "inviter"

    member_id: Mapped[int] = reference("member.id", primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(sa.String(16), unique=True)
    since: Mapped[dt.datetime]


class KnownDevice(Model):
    """A browser that a member opened their invitations in, or joined from; a keyed hash of what it carries."""

    __tablename__ = "referral_device"

    member_id: Mapped[int] = reference("member.id", primary_key=True, autoincrement=False)
    device: Mapped[str] = mapped_column(sa.String(64), primary_key=True, index=True)
    since: Mapped[dt.datetime]


class Referral(Model):
    """One friend and who brought them. A friend is brought once, by one inviter.

    ``least_spend`` (minor units of the programme's currency), ``spend_by`` and the points of both are what the terms
    promised when the friend joined; later terms do not change them. ``month`` (its first day) and ``place`` say
    which of the inviter's rewards of a month this one is: no place is taken twice.
    """

    __tablename__ = "referral"
    __table_args__ = (
        sa.UniqueConstraint("inviter_id", "month", "place"),
        sa.CheckConstraint("friend_id <> inviter_id", name="not_oneself"),
        _one_of("state", STATES),
        _one_of("reason", REASONS),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name="refused_for_a_reason"),
        sa.CheckConstraint("(state = 'rewarded') = (place IS NOT NULL)", name="rewarded_takes_a_place"),
        sa.CheckConstraint("(month IS NULL) = (place IS NULL)", name="place_in_a_month"),
        sa.CheckConstraint("place > 0", name="place_positive"),
        sa.Index(None, "inviter_id", "id"),
        sa.Index(None, "state", "id"),
    )

    id: Mapped[Id]
    friend_id: Mapped[int] = reference("member.id", unique=True)
    inviter_id: Mapped[int] = reference("member.id")
    state: Mapped[str] = mapped_column(sa.String(10))
    reason: Mapped[str | None] = mapped_column(sa.String(10))
    joined_at: Mapped[dt.datetime]
    spend_by: Mapped[dt.datetime]
    least_spend: Mapped[Amount]
    inviter_points: Mapped[Amount]
    friend_points: Mapped[Amount]
    settled_at: Mapped[dt.datetime | None]
    month: Mapped[dt.date | None]
    place: Mapped[int | None]
