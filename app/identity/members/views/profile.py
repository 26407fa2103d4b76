"""The member's own page and what it is made of."""

from __future__ import annotations

from io import BytesIO

import segno
from flask import Blueprint, Response, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import InvalidInput
from app.foundation.formtools import refuse
from app.foundation.kept import kept
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.members.actions import sign_out_everywhere, update_profile
from app.identity.members.forms import ProfileForm
from app.identity.members.queries import default_address
from app.identity.members.statements import completeness
from app.identity.session import current_member, end

profile = Blueprint("profile", __name__)


@profile.get("/me")
@requires(Permission.PROFILE_OWN)
@kept
def show() -> ResponseReturnValue:
    member = current_member()
    address = default_address(member.id)
    genders = {"": "", "female": _("Female"), "male": _("Male"), "other": _("Other")}
    return page(
        "identity/profile/show.html",
        member=member,
        code=readable(member.code),
        gender=genders[member.gender],
        address=address,
        completeness=completeness(member, has_address=address is not None),
    )


@profile.get("/me/code.svg")
@requires(Permission.PROFILE_OWN)
def code() -> Response:
    """The member code as a QR picture. Only attributes, no styles: the Content-Security-Policy stays strict."""
    picture = BytesIO()
    segno.make(current_member().code, error="m", micro=False).save(
        picture, kind="svg", scale=8, border=3, light="#fff", dark="#000", omitsize=True, xmldecl=False
    )
    return Response(picture.getvalue(), mimetype="image/svg+xml")


@profile.get("/me/profile")
@requires(Permission.PROFILE_OWN)
def edit() -> ResponseReturnValue:
    return page("identity/profile/edit.html", form=ProfileForm(obj=current_member()))


@profile.post("/me/profile")
@requires(Permission.PROFILE_OWN)
def update() -> ResponseReturnValue:
    form = ProfileForm()
    if not form.validate_on_submit():
        return page("identity/profile/edit.html", status=422, form=form)
    try:
        with transaction():
            update_profile(
                current_member(),
                name=form.name.data,
                gender=form.gender.data,
                birth_date=form.birth_date.data,
                now=clock.now(),
            )
    except InvalidInput as error:
        refuse(form, error)
        return page("identity/profile/edit.html", status=422, form=form)
    flash(_("Saved."), "success")
    return seen(url_for("portal.profile.show"))


@profile.post("/me/sessions/end")
@requires(Permission.PROFILE_OWN)
def destroy_sessions() -> ResponseReturnValue:
    with transaction():
        sign_out_everywhere(current_member(), now=clock.now())
    end()
    flash(_("You are signed out on every device."), "success")
    return seen(url_for("portal.session.new"))


def readable(member_code: str) -> str:
    """In groups of four, as people read it aloud."""
    return " ".join(member_code[start : start + 4] for start in range(0, len(member_code), 4))
