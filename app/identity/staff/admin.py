"""The staff's door, and the accounts behind it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from app.extensions import limiter
from app.foundation import clock
from app.foundation.actors import Actor
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formats import day
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.pages import initials, local_url, page, seen
from app.foundation.permissions import Permission, public, requires
from app.foundation.screens import Column, Filter, Screen
from app.foundation.security import password_matches
from app.identity.limits import FAILURES_PER_ACCOUNT, PER_ADDRESS, colleague, failed
from app.identity.session import begin, current_staff, end
from app.identity.staff.actions import change_own_password, create_staff, reset_staff_password, update_staff
from app.identity.staff.forms import ROLE_NAMES, OwnPasswordForm, SignInForm, StaffForm
from app.identity.staff.models import Staff
from app.identity.staff.queries import staff_by_email
from app.identity.units.queries import units_by_code

session = Blueprint("session", __name__)
password = Blueprint("password", __name__)

# --- signing in and out -----------------------------------------------------------------


@session.get("/session")
@public
def new() -> ResponseReturnValue:
    if Permission.OFFICE in current_user.permissions:
        return seen(_target(request.args.get("next")))
    return page("backoffice/session/new.html", form=SignInForm(next=request.args.get("next")))


@session.post("/session")
@limiter.limit(PER_ADDRESS)
@limiter.limit(FAILURES_PER_ACCOUNT, key_func=colleague, deduct_when=failed)
@public
def create() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate_on_submit():
        return page("backoffice/session/new.html", status=422, form=form)
    staff = staff_by_email(form.email.data)
    # Also for an unknown account: whoever measures the time learns nothing.
    fits = password_matches(staff.password_hash if staff else None, form.password.data)
    if staff is None or not fits or not staff.active:
        form.form_errors.append(_("The email and the password do not fit together."))
        return page("backoffice/session/new.html", status=422, form=form)
    begin(staff)
    return seen(_target(form.next.data))


@session.post("/session/end")
@public
def destroy() -> ResponseReturnValue:
    end()
    flash(_("You are signed out."), "success")
    return seen(url_for("backoffice.session.new"))


def _target(wanted: str | None) -> str:
    return local_url(wanted, url_for("backoffice.dashboard.show"))


# --- one's own password -----------------------------------------------------------------


@password.get("/password")
@requires(Permission.OFFICE)
def edit() -> ResponseReturnValue:
    return page("backoffice/session/password.html", form=OwnPasswordForm())


@password.post("/password")
@limiter.limit(PER_ADDRESS)
@requires(Permission.OFFICE)
def update() -> ResponseReturnValue:
    form = OwnPasswordForm()
    if not form.validate_on_submit():
        return page("backoffice/session/password.html", status=422, form=form)
    try:
        with transaction():
            staff = change_own_password(
                current_staff(), present=form.present.data, password=form.password.data, now=clock.now()
            )
    except InvalidInput as error:
        refuse(form, error)
        return page("backoffice/session/password.html", status=422, form=form)
    begin(staff)
    flash(_("Your password is changed. Your other devices are signed out."), "success")
    return seen(url_for("backoffice.dashboard.show"))


# --- accounts ---------------------------------------------------------------------------


def _create(*, units: list[str], password: str, active: bool, by: Actor, now: datetime, **values: Any) -> Staff:
    if not password:
        raise InvalidInput(_("A new colleague needs a first password. They can change it after signing in."))
    known = units_by_code()
    staff = create_staff(**values, units=[known[code] for code in units], password=password, by=by, now=now)
    if not active:
        _update(staff, units=units, password="", active=False, by=by, now=now, **values)
    return staff


def _update(
    staff: Staff, *, units: list[str], password: str, active: bool, by: Actor, now: datetime, **values: Any
) -> Staff:
    known = units_by_code()
    update_staff(staff, **values, units=[known[code] for code in units], active=active, by=by, now=now)
    return reset_staff_password(staff, password=password, by=by, now=now) if password else staff


def _values(staff: Staff) -> dict[str, Any]:
    return {
        "name": staff.name,
        "email": staff.email,
        "role": staff.role,
        "units": [unit.code for unit in staff.units],
        "active": staff.active,
    }


def _units(staff: Staff) -> str:
    if staff.role != "merchant":
        return _("All")
    return ", ".join(translated(unit.name) for unit in staff.units) or _("None")


def _role_choices() -> list[tuple[str, Any]]:
    return list(ROLE_NAMES.items())


staff_accounts = Screen(
    name="staff",
    title=_l("Colleagues"),
    intro=_l("Who may sign in to the back office, and what they may do there."),
    one=_l("Colleague"),
    new=_l("New colleague"),
    picture="key",
    model=Staff,
    read=Permission.STAFF_READ,
    write=Permission.STAFF_WRITE,
    columns=[
        Column(
            label=_l("Colleague"),
            value=lambda staff: staff.name,
            head=True,
            sub=lambda staff: staff.email,
            initials=lambda staff: initials(staff.name),
        ),
        Column(label=_l("Role"), value=lambda staff: ROLE_NAMES[staff.role]),
        Column(label=_l("Units"), value=_units),
        Column(label=_l("Since"), value=lambda staff: day(staff.created_at)),
        Column(
            label=_l("State"),
            value=lambda staff: _("Active") if staff.active else _("Switched off"),
            tone=lambda staff: "brand" if staff.active else "neutral",
        ),
    ],
    keys=[Staff.name, Staff.id],
    newest_first=False,
    search=[Staff.name, Staff.email],
    search_hint=_l("Search by name or email"),
    filters=[
        Filter(name="role", label=_l("Role"), choices=_role_choices, where=lambda role: Staff.role == role),
        Filter(
            name="active",
            label=_l("State"),
            choices=lambda: [("yes", _("Active")), ("no", _("Switched off"))],
            where=lambda value: Staff.active.is_(value == "yes"),
        ),
    ],
    form=StaffForm,
    form_template="backoffice/staff/form.html",
    label=lambda staff: staff.name,
    load=_values,
    create=_create,
    update=_update,
)
