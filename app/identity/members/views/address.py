"""A member's address book. ``/me/address`` is the default one, for pages that ask for just that, with ``next``."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import refuse
from app.foundation.pages import local_url, page, seen
from app.foundation.permissions import Permission, requires
from app.identity.members.actions import (
    add_address,
    change_address,
    make_default_address,
    remove_address,
    save_address,
)
from app.identity.members.forms import AddressForm
from app.identity.members.models import Address
from app.identity.members.queries import addresses_of, default_address, own_address
from app.identity.session import LARGEST_ID, current_member

address = Blueprint("address", __name__)

FIELDS = ("recipient", "phone", "region", "city", "line", "postcode")


# --- the book -------------------------------------------------------------------------------


@address.get("/me/addresses")
@requires(Permission.PROFILE_OWN)
def index() -> ResponseReturnValue:
    return page(
        "identity/address/index.html",
        addresses=addresses_of(current_member().id),
        new_url=url_for(".new"),
        back_url=url_for("portal.profile.show"),
    )


@address.get("/me/addresses/new")
@requires(Permission.PROFILE_OWN)
def new() -> ResponseReturnValue:
    return _form(_fresh(None), action=url_for(".create"), title=_("New address"))


@address.post("/me/addresses")
@requires(Permission.PROFILE_OWN)
def create() -> ResponseReturnValue:
    form = AddressForm()
    try:
        if form.validate_on_submit():
            with transaction():
                add_address(current_member(), **_told(form), now=clock.now())
            return _saved(form)
    except DomainError as error:
        refuse(form, error)
    return _form(form, action=url_for(".create"), title=_("New address"), status=422)


@address.get("/me/addresses/<int:address_id>")
@requires(Permission.PROFILE_OWN)
def edit_one(address_id: int) -> ResponseReturnValue:
    own = _own_or_404(address_id)
    return _form(_fresh(own), action=url_for(".update_one", address_id=own.id), title=_("Edit address"))


@address.post("/me/addresses/<int:address_id>")
@requires(Permission.PROFILE_OWN)
def update_one(address_id: int) -> ResponseReturnValue:
    form, here = AddressForm(), url_for(".update_one", address_id=_own_or_404(address_id).id)
    try:
        if form.validate_on_submit():
            with transaction():
                change_address(_own_or_404(address_id), **_told(form), now=clock.now())
            return _saved(form)
    except DomainError as error:
        refuse(form, error)
    return _form(form, action=here, title=_("Edit address"), status=422)


@address.post("/me/addresses/<int:address_id>/removal")
@requires(Permission.PROFILE_OWN)
def destroy(address_id: int) -> ResponseReturnValue:
    with transaction():
        remove_address(_own_or_404(address_id), now=clock.now())
    flash(_("The address is removed. Orders on their way keep theirs."), "success")
    return seen(url_for(".index"))


@address.post("/me/addresses/<int:address_id>/default")
@requires(Permission.PROFILE_OWN)
def create_default(address_id: int) -> ResponseReturnValue:
    with transaction():
        make_default_address(_own_or_404(address_id))
    return seen(url_for(".index"))


# --- the default one ------------------------------------------------------------------------


@address.get("/me/address")
@requires(Permission.PROFILE_OWN)
def edit() -> ResponseReturnValue:
    return _form(_fresh(default_address(current_member().id)), action=url_for(".update"), title=_("Default address"))


@address.post("/me/address")
@requires(Permission.PROFILE_OWN)
def update() -> ResponseReturnValue:
    form = AddressForm()
    try:
        if form.validate_on_submit():
            with transaction():
                save_address(current_member(), **_told(form), now=clock.now())
            return _saved(form)
    except DomainError as error:
        refuse(form, error)
    return _form(form, action=url_for(".update"), title=_("Default address"), status=422)


# --- what they share ------------------------------------------------------------------------


def _own_or_404(address_id: int) -> Address:
    own = own_address(current_member().id, address_id) if address_id <= LARGEST_ID else None
    return own or abort(404)


def _fresh(present: Address | None) -> AddressForm:
    member = current_member()
    known = {"recipient": member.name, "phone": member.phone} if present is None else {}
    return AddressForm(obj=present, next=request.args.get("next"), **known)


def _told(form: AddressForm) -> dict[str, Any]:
    return {name: form[name].data or "" for name in FIELDS}


def _home(form: AddressForm) -> str:
    """Where somebody came from: the book, where they keep more than one, else their profile."""
    book = len(addresses_of(current_member().id)) > 1
    return local_url(form.next.data, url_for(".index") if book else url_for("portal.profile.show"))


def _saved(form: AddressForm) -> ResponseReturnValue:
    flash(_("Your address is saved."), "success")
    return seen(_home(form))


def _form(form: AddressForm, *, action: str, title: str, status: int = 200) -> ResponseReturnValue:
    return page(
        "identity/address/edit.html", status=status, form=form, action=action, title=title, back_url=_home(form)
    )
