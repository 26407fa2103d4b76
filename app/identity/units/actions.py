"""Opening and renaming business units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from app.config import LOCALES
from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import db
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.languages import translated
from app.identity.names import clean
from app.identity.units.models import Unit

audit.describe("unit", _l("Business unit"), {"unit.create": _l("Unit opened"), "unit.update": _l("Unit changed")})

CODE = re.compile(r"[a-z][a-z0-9-]{1,31}")


class CodeTaken(DomainError):
    """Another unit has this code."""


def open_unit(*, code: str, name: Mapping[str, str], by: Actor, now: datetime) -> Unit:
    """Open a unit. ``name`` is by language. Raises ``InvalidInput``, ``CodeTaken``."""
    if not CODE.fullmatch(code):
        raise InvalidInput(_("A unit's code is 2 to 32 small letters, digits and hyphens, and begins with a letter."))
    unit = Unit(code=code, name=_names(name), created_at=now)
    try:
        with db.session.begin_nested():
            db.session.add(unit)
    except IntegrityError as error:
        raise CodeTaken(_("There is a unit with the code %(code)s already.", code=code)) from error
    audit.record("unit.create", subject=_subject(unit), by=by, now=now, after=_facts(unit))
    return unit


def update_unit(unit: Unit, *, name: Mapping[str, str], active: bool, by: Actor, now: datetime) -> Unit:
    """Rename a unit or close it for new business. Its code stays: files and keys name it."""
    before = _facts(unit)
    unit.name, unit.active = _names(name), active
    audit.record("unit.update", subject=_subject(unit), by=by, now=now, before=before, after=_facts(unit))
    return unit


def _names(name: Mapping[str, str]) -> dict[str, str]:
    names = {locale: text[:80] for locale in LOCALES if (text := clean(name.get(locale) or ""))}
    if not names:
        raise InvalidInput(_("Please give the unit a name in at least one language."))
    return names


def _facts(unit: Unit) -> dict[str, Any]:
    return {"code": unit.code, "name": dict(unit.name), "active": unit.active}


def _subject(unit: Unit) -> tuple[str, object, str]:
    return "unit", unit.code, translated(unit.name)
