"""Finding staff, and which business units they see."""

from __future__ import annotations

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.identity.names import email_of
from app.identity.staff.models import Staff


def staff_by_id(staff_id: int) -> Staff | None:
    return db.session.get(Staff, staff_id)


def staff_by_email(text: str) -> Staff | None:
    try:
        email = email_of(text)
    except InvalidInput:
        return None
    return db.session.scalar(sa.select(Staff).where(Staff.email == email))


def unit_scope(staff: Staff) -> set[int] | None:
    """The ids of the units whose affairs a colleague sees; ``None`` means every unit.

    Only merchants are limited. A merchant without units sees none.
    """
    return {unit.id for unit in staff.units} if staff.role == "merchant" else None


def anybody() -> bool:
    """Is there anybody who could sign in to the back office?"""
    return db.session.scalar(sa.select(sa.exists().select_from(Staff))) is True


def owners() -> list[Staff]:
    """Whoever answers for the house: the active owners."""
    return list(db.session.scalars(sa.select(Staff).where(Staff.role == "owner", Staff.active).order_by(Staff.id)))
