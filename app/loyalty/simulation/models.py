"""What past purchases would have brought under a draft: asked for, worked out in the background, kept."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, BigId, Id, Json, Model

ASKED, RUNNING, DONE, FAILED, CANCELLED, SUPERSEDED = "asked", "running", "done", "failed", "cancelled", "superseded"


class Simulation(Model):
    """``draft`` and ``in_force`` are the values compared, by domain; ``seal`` stands for both.

    Purchases of ``[first_day, last_day]`` are valued, member by member: those up to ``last_member_id`` are done in
    this ``round`` (another one begins where a budget turns out to have an end). ``figures`` grow with each step
    and are the result at the end; ``working`` is what the steps need besides. ``alive_at`` is a worker's last sign.
    """

    __tablename__ = "simulation"
    __table_args__ = (
        sa.CheckConstraint("last_day >= first_day", name="ends_after_it_begins"),
        sa.Index(
            "uq_simulation_open",
            "domain",
            unique=True,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    domain: Mapped[str] = mapped_column(sa.String(40))
    seal: Mapped[str] = mapped_column(sa.String(40))
    draft: Mapped[dict[str, Any]] = mapped_column(Json)
    in_force: Mapped[dict[str, Any]] = mapped_column(Json)
    first_day: Mapped[date]
    last_day: Mapped[date]
    state: Mapped[str] = mapped_column(sa.String(12))
    asked_at: Mapped[datetime]
    asked_by: Mapped[str] = mapped_column(sa.String(120))
    started_at: Mapped[datetime | None]
    alive_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    purchases: Mapped[Amount] = mapped_column(default=0)
    done: Mapped[Amount] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)
    last_member_id: Mapped[int] = mapped_column(BigId, default=0)
    working: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    figures: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
