"""Business units 业态: the shops, restaurants and cinemas of one group."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Id, JsonObject, Model


class Unit(Model):
    """``code`` is what files and keys say, ``name`` what people read (by language)."""

    __tablename__ = "unit"
    __table_args__ = (sa.CheckConstraint("code = lower(code)", name="code_is_lower"),)

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    name: Mapped[JsonObject]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
