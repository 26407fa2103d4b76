"""Reading business units. There are few, so they are read whole."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.foundation.database import db
from app.identity.units.models import Unit


def all_units() -> list[Unit]:
    return list(db.session.scalars(sa.select(Unit).order_by(Unit.code)))


def unit_by_code(code: str) -> Unit | None:
    return db.session.scalar(sa.select(Unit).where(Unit.code == code))


def units_by_code() -> dict[str, Unit]:
    return {unit.code: unit for unit in all_units()}


def unit_names() -> dict[int, dict[str, Any]]:
    """Id → name by language, for lists that show where something happened."""
    return {unit.id: unit.name for unit in all_units()}
