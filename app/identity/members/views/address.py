"""The default address. A checkout sends members here with ``next`` and gets them back."""

from __future__ import annotations

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formtools import refuse
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, requires
from app.identity.members.actions import save_address
from app.identity.members.forms import AddressForm
from app.identity.members.queries import default_address
from app.identity.session import current_member

address = Blueprint("address", __name__)

FIELDS = ("recipient", "phone", "region", "city", "line", "postcode")


@address.get("/me/address")
@requires(Permission.PROFILE_OWN)
def edit() -> ResponseReturnValue:
    member = current_member()
    present = default_address(member.id)
    known = {"recipient": member.name, "phone": member.phone} if present is None else {}
    return _form(AddressForm(obj=present, next=request.args.get("next"), **known))


@address.post("/me/address")
@requires(Permission.PROFILE_OWN)
def update() -> ResponseReturnValue:
    form = AddressForm()
    if not form.validate_on_submit():
        return _form(form, status=422)
    try:
        with transaction():
            save_address(current_member(), **{name: form[name].data or "" for name in FIELDS}, now=clock.now())
    except InvalidInput as error:
        refuse(form, error)
        return _form(form, status=422)
    flash(_("Your address is saved."), "success")
    return seen(local_url(form.next.data, url_for("portal.profile.show")))


def _form(form: AddressForm, *, status: int = 200) -> ResponseReturnValue:
    back = local_url(form.next.data, url_for("portal.profile.show"))
    return page("identity/address/edit.html", status=status, form=form, back_url=back)
