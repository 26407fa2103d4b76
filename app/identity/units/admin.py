"""Business units in the back office."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.config import LOCALES
from app.foundation.actors import Actor
from app.foundation.formtools import by_language, texts_of
from app.foundation.languages import LABELS, translated
from app.foundation.permissions import Permission
from app.foundation.screens import Column, Filter, Screen
from app.identity.units.actions import open_unit, update_unit
from app.identity.units.forms import UnitForm
from app.identity.units.models import Unit


def _open(*, code: str, by: Actor, now: datetime, active: bool, **values: Any) -> Unit:
    unit = open_unit(code=code, name=texts_of(values, "name"), by=by, now=now)
    return unit if active else update_unit(unit, name=unit.name, active=False, by=by, now=now)


def _update(unit: Unit, *, code: str, by: Actor, now: datetime, active: bool, **values: Any) -> Unit:
    return update_unit(unit, name=texts_of(values, "name"), active=active, by=by, now=now)


def _values(unit: Unit) -> dict[str, Any]:
    return {"code": unit.code, "active": unit.active, **by_language("name", unit.name)}


def _languages(unit: Unit) -> str:
    return " · ".join(LABELS[locale] for locale in LOCALES if unit.name.get(locale))


units = Screen(
    name="units",
    title=_l("Business units"),
    intro=_l("Shops, restaurants, cinemas: whoever issues and accepts points."),
    one=_l("Unit"),
    new=_l("New unit"),
    picture="store",
    model=Unit,
    read=Permission.UNIT_READ,
    write=Permission.UNIT_WRITE,
    columns=[
        Column(label=_l("Unit"), value=lambda unit: translated(unit.name), head=True, sub=lambda unit: unit.code),
        Column(label=_l("Languages"), value=_languages),
        Column(
            label=_l("State"),
            value=lambda unit: _("Open") if unit.active else _("Closed"),
            tone=lambda unit: "brand" if unit.active else "neutral",
        ),
    ],
    keys=[Unit.code],
    newest_first=False,
    search=[Unit.code],
    search_hint=_l("Search by code"),
    filters=[
        Filter(
            name="active",
            label=_l("State"),
            choices=lambda: [("yes", _("Open")), ("no", _("Closed"))],
            where=lambda value: Unit.active.is_(value == "yes"),
        )
    ],
    form=UnitForm,
    label=lambda unit: translated(unit.name),
    load=_values,
    create=_open,
    update=_update,
)
