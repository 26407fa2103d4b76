"""Daily check-in 签到: one row per member and local day."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from app.foundation.database import Amount, Id, Model, reference


class CheckIn(Model):
    """``day`` is the date in the programme's timezone; ``points`` what it paid then."""

    __tablename__ = "check_in"
    __table_args__ = (sa.UniqueConstraint("member_id", "day"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    day: Mapped[dt.date]
    points: Mapped[Amount]
    at: Mapped[dt.datetime]
