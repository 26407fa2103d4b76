"""Joining: the form, then the code that shows whose email or phone it is."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, redirect, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.extensions import limiter
from app.foundation import clock, outbox, sms
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formtools import refuse
from app.foundation.languages import current_locale
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, public
from app.identity import invitations
from app.identity.limits import MESSAGES_PER_ADDRESS, MESSAGES_PER_CONTACT, PER_ADDRESS, accepted, account
from app.identity.members.forms import CodeForm, RegistrationForm
from app.identity.members.models import Registration
from app.identity.members.registration import (
    begin_registration,
    confirm_registration,
    open_registration,
    send_another_code,
)
from app.identity.names import clean, contact_of
from app.identity.session import begin

registration = Blueprint("registration", __name__)


@registration.get("/registration")
@public
def new() -> ResponseReturnValue:
    if Permission.PROFILE_OWN in current_user.permissions:
        return seen(local_url(request.args.get("next"), "/"))
    invite_code = invitations.remembered(now=clock.now())
    return invitations.mark(_form(RegistrationForm(next=request.args.get("next"), invite_code=invite_code)))


@registration.post("/registration")
@limiter.limit(PER_ADDRESS)  # Refused forms, too: they tell which invitation codes there are.
@limiter.limit(MESSAGES_PER_ADDRESS, deduct_when=accepted)
@limiter.limit(MESSAGES_PER_CONTACT, key_func=account, deduct_when=accepted)
@public
def create() -> ResponseReturnValue:
    form, now = RegistrationForm(), clock.now()
    if not form.validate_on_submit():
        return _form(form, status=422)
    contact = contact_of(form.contact.data)
    if contact.kind == "phone" and not sms.available():
        form.contact.errors = [_("We cannot send text messages yet. Please join with your email; it is just as good.")]
        return _form(form, status=422)
    try:
        with transaction():
            token = begin_registration(
                contact=contact,
                name=clean(form.name.data)[:80],
                password=form.password.data,
                locale=current_locale(),
                invite_code=invitations.recognised(form.invite_code.data) if form.invite_code.data else None,
                device=invitations.device(),
                now=now,
            )
    except InvalidInput as error:
        refuse(form, error, "password")
        return _form(form, status=422)
    cookie["registration"] = {"token": token, "next": local_url(form.next.data, "/")}
    return invitations.mark(seen(url_for("portal.registration.new_confirmation")))


@registration.get("/registration/confirmation")
@public
def new_confirmation() -> ResponseReturnValue:
    begun = _begun()
    if begun is None:
        return _start_again()
    return _code_form(CodeForm(), begun)


@registration.post("/registration/confirmation")
@limiter.limit(PER_ADDRESS)
@public
def create_confirmation() -> ResponseReturnValue:
    form, begun = CodeForm(), _begun()
    if begun is None:
        return _start_again()
    if not form.validate_on_submit():
        return _code_form(form, begun, status=422)
    token = begun.token  # Kept apart from its row: a double click's twin may have used that up.
    with transaction():
        member = confirm_registration(token=token, code=form.code.data, now=clock.now())
    if member is None:
        if (begun := _begun()) is None:
            return _start_again()
        form.code.errors = [_("This is not the code that we sent. Please look again.")]
        return _code_form(form, begun, status=422)
    target = local_url(cookie["registration"].get("next"), "/")
    begin(member)
    flash(_("Welcome, %(name)s! You are a member now.", name=member.name), "success")
    return invitations.forget(seen(target))


@registration.post("/registration/message")
@limiter.limit(MESSAGES_PER_ADDRESS)
@public
def create_message() -> ResponseReturnValue:
    """Send the code once more."""
    begun = _begun()
    if begun is None:
        return _start_again()
    token = begun.token
    with transaction():
        sent = send_another_code(token=token, now=clock.now())
    if sent:
        flash(_("We have sent another message. Only the newest code counts."), "info")
    else:
        flash(_("We have sent several messages already. Please look for them, also among the spam."), "warning")
    return seen(url_for("portal.registration.new_confirmation"))


def _begun() -> Registration | None:
    token = (cookie.get("registration") or {}).get("token")
    return open_registration(token, now=clock.now()) if token else None


def _start_again() -> ResponseReturnValue:
    cookie.pop("registration", None)
    flash(_("The code has expired, or was typed wrongly too often. Please begin again."), "warning")
    return redirect(url_for("portal.registration.new"), code=303)


def _form(form: RegistrationForm, *, status: int = 200) -> Response:
    return page("identity/registration/new.html", status=status, form=form)


def _code_form(form: CodeForm, begun: Registration, *, status: int = 200) -> ResponseReturnValue:
    contact = begun.email or begun.phone or ""
    return page(
        "identity/registration/confirmation.html",
        status=status,
        form=form,
        contact=contact,
        by_mail=bool(begun.email),
        shown_message=_shown_message(contact),
    )


def _shown_message(contact: str) -> str | None:
    """In development nothing is really sent, so the page shows what would have been. Never in production."""
    settings = current_app.config["SETTINGS"]
    shown = settings.environment == "development" and settings.mail_url == "console:"
    if not current_app.config.get("SHOW_MESSAGES", shown):
        return None
    payload = outbox.last_to(contact)
    return payload["text"] if payload else None
