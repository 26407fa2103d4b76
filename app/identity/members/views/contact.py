"""Another email or phone: asked for here, confirmed by the link that was sent to it."""

from __future__ import annotations

from flask import Blueprint, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.extensions import limiter
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formtools import refuse
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.limits import MESSAGES_PER_ADDRESS, MESSAGES_PER_CONTACT, accepted, account
from app.identity.members.actions import WrongPassword
from app.identity.members.forms import ContactForm
from app.identity.members.recovery import LinkExpired, ask_for_contact, contact_of_link, finish_contact
from app.identity.names import contact_of
from app.identity.session import current_member

contact = Blueprint("contact", __name__)


@contact.get("/me/contact")
@requires(Permission.PROFILE_OWN)
def new() -> ResponseReturnValue:
    return page("identity/contact/new.html", form=ContactForm(), member=current_member())


@contact.post("/me/contact")
@limiter.limit(MESSAGES_PER_ADDRESS)
@limiter.limit(MESSAGES_PER_CONTACT, key_func=account, deduct_when=accepted)
@requires(Permission.PROFILE_OWN)
def create() -> ResponseReturnValue:
    form, member = ContactForm(), current_member()
    if not form.validate_on_submit():
        return page("identity/contact/new.html", status=422, form=form, member=member)
    try:
        with transaction():
            wanted = contact_of(form.contact.data)
            ask_for_contact(member, contact=wanted, password=form.password.data, now=clock.now())
    except InvalidInput as error:
        refuse(form, error, "password" if isinstance(error, WrongPassword) else "contact")
        return page("identity/contact/new.html", status=422, form=form, member=member)
    flash(_("We have sent a link to %(contact)s. Please open it within an hour.", contact=wanted.value), "info")
    return seen(url_for("portal.profile.show"))


@contact.get("/me/contact/<token>")
@requires(Permission.PROFILE_OWN)
def edit(token: str) -> ResponseReturnValue:
    # Mail programs open links to look at them; only the button changes something.
    wanted = contact_of_link(current_member(), token, now=clock.now())
    return page("identity/contact/edit.html", contact=wanted.value, token=token)


@contact.post("/me/contact/<token>")
@requires(Permission.PROFILE_OWN)
def update(token: str) -> ResponseReturnValue:
    try:
        with transaction():
            finish_contact(current_member(), token=token, now=clock.now())
    except LinkExpired:
        raise
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("Your contact is confirmed."), "success")
    return seen(url_for("portal.profile.show"))
