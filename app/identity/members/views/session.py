"""Signing in and out."""

from __future__ import annotations

from flask import Blueprint, flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.extensions import limiter
from app.foundation.errors import InvalidInput
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, public
from app.foundation.security import password_matches
from app.identity.limits import FAILURES_PER_ACCOUNT, PER_ADDRESS, account, failed
from app.identity.members.forms import SignInForm
from app.identity.members.models import Member
from app.identity.members.queries import member_by_ref
from app.identity.names import contact_of
from app.identity.session import begin, end

session = Blueprint("session", __name__)


@session.get("/session")
@public
def new() -> ResponseReturnValue:
    target = local_url(request.args.get("next"), "/")
    if Permission.PROFILE_OWN in current_user.permissions:
        return seen(target)
    return _form(SignInForm(next=request.args.get("next")))


@session.post("/session")
@limiter.limit(PER_ADDRESS)
@limiter.limit(FAILURES_PER_ACCOUNT, key_func=account, deduct_when=failed)
@public
def create() -> ResponseReturnValue:
    form = SignInForm()
    if not form.validate_on_submit():
        return _form(form, status=422)
    member = _member(form.contact.data)
    # Also for an unknown account: whoever measures the time learns nothing.
    if not password_matches(member.password_hash if member else None, form.password.data) or member is None:
        form.form_errors.append(_("The email or phone and the password do not fit together."))
        return _form(form, status=422)
    begin(member, remember=form.remember.data)
    return seen(local_url(form.next.data, "/"))


@session.post("/session/end")
@public
def destroy() -> ResponseReturnValue:
    end()
    flash(_("You are signed out. See you soon!"), "success")
    return seen("/")


def _member(typed: str) -> Member | None:
    try:
        return member_by_ref(contact_of(typed))
    except InvalidInput:
        return None


def _form(form: SignInForm, *, status: int = 200) -> ResponseReturnValue:
    return page(
        "identity/session/new.html", status=status, form=form, sent_here=bool(local_url(form.next.data, "").strip("/"))
    )
