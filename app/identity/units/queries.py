"""Reading business units. There are few, so they are read whole."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db
from app.identity.units.models import Unit

_ALL = sa.select(Unit).order_by(Unit.code)


def all_units() -> list[Unit]:
    return list(db.session.scalars(_ALL))


def unit_by_code(code: str) -> Unit | None:
    return db.session.scalar(sa.select(Unit).where(Unit.code == code))


def unit_by_id(unit_id: int) -> Unit | None:
    return db.session.get(Unit, unit_id)


def units_within(scope: Collection[int] | None) -> list[Unit]:
    """The units among these ids; all of them for ``None``."""
    return [unit for unit in all_units() if scope is None or unit.id in scope]


def units_by_code() -> dict[str, Unit]:
    return {unit.code: unit for unit in all_units()}


def unit_names() -> dict[int, dict[str, Any]]:
    """Id → name by language, for lists that show where something happened."""
    return {unit.id: unit.name for unit in all_units()}
