"""Members 会员 and where to send their parcels."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_login import UserMixin
from sqlalchemy.orm import Mapped, mapped_column, validates

from app.foundation.actors import Actor
from app.foundation.database import Id, Model, reference
from app.foundation.permissions import MEMBER, Permission


class Member(Model, UserMixin):
    """A person with a member code.

    An imported member has no password yet and can be claimed by whoever proves to own
    the email or phone. Raising ``session_epoch`` ends all of the member's sessions.
    ``birthday`` is the birth date's month and day as one number, 1231 for 31 December: by it those of a day are found.
    """

    __tablename__ = "member"
    __table_args__ = (
        sa.CheckConstraint("email = lower(email)", name="email_is_lower"),
        sa.CheckConstraint("gender IN ('', 'female', 'male', 'other')", name="gender_known"),
        sa.Index(None, "birthday", "id"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(16), unique=True)
    email: Mapped[str | None] = mapped_column(sa.String(254), unique=True)
    phone: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
    password_hash: Mapped[str | None] = mapped_column(sa.String(200))
    name: Mapped[str] = mapped_column(sa.String(80), default="")
    gender: Mapped[str] = mapped_column(sa.String(10), default="")
    birth_date: Mapped[date | None]
    birthday: Mapped[int | None]
    locale: Mapped[str | None] = mapped_column(sa.String(10))
    session_epoch: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None] = mapped_column(index=True)

    permissions: frozenset[Permission] = MEMBER

    def get_id(self) -> str:
        return f"member:{self.id}:{self.session_epoch}"

    @validates("birth_date")
    def _keep_the_day(self, _name: str, value: date | None) -> date | None:
        self.birthday = value.month * 100 + value.day if value else None
        return value

    @property
    def label(self) -> str:
        """What to call the member in a list: an imported one has no name yet, but always a code."""
        return self.name or self.code

    @property
    def actor(self) -> Actor:
        return Actor("member", self.id, self.label)


class Address(Model):
    """A postal address of a member; at most one is the default."""

    __tablename__ = "address"
    __table_args__ = (
        sa.Index(
            "uq_address_default",
            "member_id",
            unique=True,
            postgresql_where=sa.text("is_default"),
            sqlite_where=sa.text("is_default"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id", index=True)
    recipient: Mapped[str] = mapped_column(sa.String(80))
    phone: Mapped[str] = mapped_column(sa.String(20))
    region: Mapped[str] = mapped_column(sa.String(80))
    city: Mapped[str] = mapped_column(sa.String(80))
    line: Mapped[str] = mapped_column(sa.String(200))
    postcode: Mapped[str] = mapped_column(sa.String(12), default="")
    is_default: Mapped[bool] = mapped_column(default=False)


class Registration(Model):
    """Somebody who wants to join and has not yet shown that the email or phone is theirs.

    ``code_hash`` is empty where the contact belongs to a member already: then no code was sent, none
    fits, and the page looks the same. ``attempts`` counts every try, in the database, so that parallel
    guessing does not get more of them. ``invite_code`` is whose invitation brought them, ``device`` which browser.
    """

    __tablename__ = "registration"

    id: Mapped[Id]
    token: Mapped[str] = mapped_column(sa.String(43), unique=True)
    email: Mapped[str | None] = mapped_column(sa.String(254))
    phone: Mapped[str | None] = mapped_column(sa.String(20))
    name: Mapped[str] = mapped_column(sa.String(80))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    locale: Mapped[str | None] = mapped_column(sa.String(10))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    messages: Mapped[int] = mapped_column(default=1)
    invite_code: Mapped[str | None] = mapped_column(sa.String(16))
    device: Mapped[str | None] = mapped_column(sa.String(64))
    expires_at: Mapped[datetime] = mapped_column(index=True)
