"""Staff accounts. Nobody may lock themselves out, and the last owner stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, lock
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.permissions import ROLES
from app.foundation.security import hash_password, password_matches
from app.identity.names import clean, email_of
from app.identity.passwords import check_password
from app.identity.staff.models import Staff
from app.identity.units.models import Unit

audit.describe(
    "staff",
    _l("Colleague"),
    {
        "staff.create": _l("Colleague added"),
        "staff.update": _l("Colleague changed"),
        "staff.password": _l("Password set"),
    },
)


class EmailTaken(DomainError):
    """Another colleague signs in with this email."""


class NotYourself(DomainError):
    """Nobody takes away their own rights: one slip would lock the door behind them."""


class LastOwner(DomainError):
    """Somebody has to be able to make owners."""


def create_staff(
    *, email: str, password: str, name: str, role: str, units: Sequence[Unit] = (), by: Actor, now: datetime
) -> Staff:
    """Raises ``InvalidInput``, ``EmailTaken``. Only merchants keep ``units``; the other roles see all."""
    address = email_of(email)
    check_password(password, about=(address, name))
    staff = Staff(
        email=address,
        password_hash=hash_password(password),
        name=_name(name),
        role=_role(role),
        units=_units(role, units),
        created_at=now,
    )
    _save(staff)
    audit.record("staff.create", subject=_subject(staff), by=by, now=now, after=_facts(staff))
    return staff


def update_staff(
    staff: Staff, *, email: str, name: str, role: str, units: Sequence[Unit], active: bool, by: Actor, now: datetime
) -> Staff:
    """Losing rights or the account ends the colleague's sessions.

    Raises ``InvalidInput``, ``EmailTaken``, ``NotYourself``, ``LastOwner``.
    """
    owners = _locked_owners()
    losing = not active or role != staff.role
    if losing and (by.kind, by.id) == ("staff", staff.id):
        raise NotYourself(_("You cannot change your own role or switch yourself off. Ask another owner."))
    if losing and owners == [staff.id] and not (active and role == "owner"):
        raise LastOwner(_("This is the last owner. Make somebody else an owner first."))
    before = _facts(staff)
    staff.email, staff.name, staff.role = email_of(email), _name(name), _role(role)
    staff.units, staff.active = _units(role, units), active
    staff.session_epoch += bool(losing)
    _save(staff)
    audit.record("staff.update", subject=_subject(staff), by=by, now=now, before=before, after=_facts(staff))
    return staff


def deactivate(staff: Staff, *, by: Actor, now: datetime) -> Staff:
    """Raises ``NotYourself``, ``LastOwner``."""
    return update_staff(
        staff,
        email=staff.email,
        name=staff.name,
        role=staff.role,
        units=list(staff.units),
        active=False,
        by=by,
        now=now,
    )


def reset_staff_password(staff: Staff, *, password: str, by: Actor, now: datetime) -> Staff:
    """By an owner. Ends the colleague's sessions. Raises ``InvalidInput``."""
    check_password(password, about=(staff.email, staff.name))
    staff.password_hash = hash_password(password)
    staff.session_epoch += 1
    # Neither the old nor the new password is anybody's business; the entry says that there is a new one.
    audit.record("staff.password", subject=_subject(staff), by=by, now=now)
    return staff


def change_own_password(staff: Staff, *, present: str, password: str, now: datetime) -> Staff:
    """Ends the colleague's other sessions. Raises ``InvalidInput``."""
    if not password_matches(staff.password_hash, present):
        raise InvalidInput(_("That is not your present password."))
    return reset_staff_password(staff, password=password, by=staff.actor, now=now)


def _locked_owners() -> list[int]:
    """Ids of the active owners, locked: two who demote each other at once would leave none."""
    owners = sa.select(Staff).where(Staff.role == "owner", Staff.active).order_by(Staff.id)
    return [owner.id for owner in db.session.scalars(lock(LockOrder.STAFF, owners))]


def _save(staff: Staff) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(staff)
    except IntegrityError as error:
        raise EmailTaken(_("Another colleague already signs in with this email.")) from error


def _name(name: str) -> str:
    if not clean(name):
        raise InvalidInput(_("Please give a name."))
    return clean(name)[:80]


def _role(role: str) -> str:
    if role not in ROLES:
        raise InvalidInput(_("Please choose one of the roles."))
    return role


def _units(role: str, units: Sequence[Unit]) -> list[Unit]:
    if role != "merchant":
        return []
    if not units:
        raise InvalidInput(_("A merchant needs at least one business unit."))
    return list(units)


def _facts(staff: Staff) -> dict[str, Any]:
    return {
        "email": staff.email,
        "name": staff.name,
        "role": staff.role,
        "units": sorted(unit.code for unit in staff.units),
        "active": staff.active,
    }


def _subject(staff: Staff) -> tuple[str, object, str]:
    return "staff", staff.id, staff.name
