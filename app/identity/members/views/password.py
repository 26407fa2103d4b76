"""Passwords: forgotten ones by a link, known ones from the profile."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.extensions import limiter
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, public, requires
from app.identity.limits import MESSAGES_PER_ADDRESS, MESSAGES_PER_CONTACT, PER_ADDRESS, accepted, account
from app.identity.members.actions import WrongPassword, change_password
from app.identity.members.forms import ChangePasswordForm, ForgottenForm, NewPasswordForm
from app.identity.members.recovery import LinkExpired, ask_for_reset, finish_reset, member_of_reset
from app.identity.names import contact_of
from app.identity.session import begin, current_member

password = Blueprint("password", __name__)


@password.get("/password")
@public
def new() -> ResponseReturnValue:
    return page("identity/password/new.html", form=ForgottenForm())


@password.post("/password")
@limiter.limit(MESSAGES_PER_ADDRESS, deduct_when=accepted)
@limiter.limit(MESSAGES_PER_CONTACT, key_func=account, deduct_when=accepted)
@public
def create() -> ResponseReturnValue:
    form = ForgottenForm()
    if not form.validate_on_submit():
        return page("identity/password/new.html", status=422, form=form)
    with transaction():
        ask_for_reset(contact=contact_of(form.contact.data), now=clock.now())
    return seen(url_for("portal.password.sent"))


@password.get("/password/sent")
@public
def sent() -> ResponseReturnValue:
    return page("identity/password/sent.html")


@password.get("/password/<token>")
@public
def edit(token: str) -> ResponseReturnValue:
    try:
        member_of_reset(token, now=clock.now())
    except LinkExpired as error:
        return _expired(error)
    return page("identity/password/edit.html", form=NewPasswordForm())


@password.post("/password/<token>")
@limiter.limit(PER_ADDRESS)
@public
def update(token: str) -> ResponseReturnValue:
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return page("identity/password/edit.html", status=422, form=form)
    try:
        with transaction():
            member = finish_reset(token=token, password=form.password.data, now=clock.now())
    except InvalidInput as error:
        refuse(form, error, "password")
        return page("identity/password/edit.html", status=422, form=form)
    except LinkExpired as error:
        return _expired(error)
    begin(member)
    flash(_("Your new password is set. You are signed in here and signed out everywhere else."), "success")
    return seen("/")


@password.get("/me/password")
@requires(Permission.PROFILE_OWN)
def edit_own() -> ResponseReturnValue:
    return page("identity/password/edit_own.html", form=ChangePasswordForm())


@password.post("/me/password")
@limiter.limit(PER_ADDRESS)
@requires(Permission.PROFILE_OWN)
def update_own() -> ResponseReturnValue:
    form = ChangePasswordForm()
    if not form.validate_on_submit():
        return page("identity/password/edit_own.html", status=422, form=form)
    try:
        with transaction():
            member = change_password(
                current_member(), present=form.present.data, password=form.password.data, now=clock.now()
            )
    except InvalidInput as error:
        refuse(form, error, "present" if isinstance(error, WrongPassword) else "password")
        return page("identity/password/edit_own.html", status=422, form=form)
    begin(member)
    flash(_("Your password is changed. Your other devices are signed out."), "success")
    return seen(url_for("portal.profile.show"))


def _expired(error: LinkExpired) -> ResponseReturnValue:
    return page("identity/password/expired.html", status=410, sentence=str(error))
