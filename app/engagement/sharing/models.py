"""Who followed the links that members passed on."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, Model, reference


class ShareVisit(Model):
    """Somebody's browser followed a member's link to a ``thing``, ``programme`` or ``product:7``.

    A browser counts once a ``day`` of the programme for each member, whatever it opens.
    """

    __tablename__ = "share_visit"
    __table_args__ = (sa.UniqueConstraint("member_id", "day", "device"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    thing: Mapped[str] = mapped_column(sa.String(40))
    day: Mapped[dt.date]
    device: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime]
