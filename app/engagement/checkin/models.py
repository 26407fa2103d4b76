"""Daily check-in 签到: one row per member and local day."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, Model, reference


class CheckIn(Model):
    """``day`` is the date in the programme's timezone; ``points`` what it paid then.

    A day that was made up afterwards paid nothing and names its ``card``, the second of June being
    ``2026-06/2``. No member has a card twice, so that nobody has more of them in a month than there are numbers.
    """

    __tablename__ = "check_in"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "day"),
        sa.CheckConstraint("(card IS NULL) = (points > 0)", name="pays_or_has_card"),
        sa.Index(
            "uq_check_in_member_id_card",
            "member_id",
            "card",
            unique=True,
            postgresql_where=sa.text("card IS NOT NULL"),
            sqlite_where=sa.text("card IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    day: Mapped[dt.date]
    points: Mapped[Amount]
    card: Mapped[str | None] = mapped_column(sa.String(10))
    at: Mapped[dt.datetime]
