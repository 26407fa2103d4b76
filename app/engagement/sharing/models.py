"""What members shared, told by those who followed their links."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, Model, reference


class Share(Model):
    """Somebody followed a member's link to a ``thing`` on a ``day`` of the programme: so the member has shared it.

    ``thing`` is ``programme`` or ``product:7``.
    """

    __tablename__ = "share"
    __table_args__ = (sa.UniqueConstraint("member_id", "day", "thing"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    thing: Mapped[str] = mapped_column(sa.String(40))
    day: Mapped[dt.date]
    at: Mapped[dt.datetime]


class ShareVisit(Model):
    """Somebody's browser that followed it; a browser counts once a day for each member, whatever it opens."""

    __tablename__ = "share_visit"
    __table_args__ = (sa.UniqueConstraint("member_id", "day", "device"),)

    id: Mapped[Id]
    share_id: Mapped[int] = reference("share.id", index=True)
    member_id: Mapped[int] = reference("member.id")
    day: Mapped[dt.date]
    device: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime]
