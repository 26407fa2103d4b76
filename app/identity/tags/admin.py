"""Tags at the desk: given and taken away on a member's page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.pages import seen
from app.foundation.permissions import Permission, requires
from app.identity.members.queries import member_by_code
from app.identity.session import current_staff
from app.identity.tags.actions import tag, untag

if TYPE_CHECKING:
    from app.identity.members.models import Member

member_tags = Blueprint("member_tags", __name__, url_prefix="/members/<code>/tags")


@member_tags.post("")
@requires(Permission.MEMBER_TAG)
def create(code: str) -> ResponseReturnValue:
    member, by = _member_or_404(code), current_staff().actor
    try:
        with transaction():
            given = tag(member=member, text=request.form.get("tag", "")[:200], by=by, now=clock.now())
        if not given:
            flash(_("The member has this tag already."), "info")
    except DomainError as error:
        flash(str(error), "danger")
    return seen(url_for("backoffice.members.show", code=code, _anchor="tags"))


@member_tags.post("/removal")
@requires(Permission.MEMBER_TAG)
def create_removal(code: str) -> ResponseReturnValue:
    member, by = _member_or_404(code), current_staff().actor
    with transaction():
        untag(member=member, text=request.form.get("tag", "")[:200], by=by, now=clock.now())
    return seen(url_for("backoffice.members.show", code=code, _anchor="tags"))


def _member_or_404(code: str) -> Member:
    member = member_by_code(code) if code.isascii() and code.isalnum() else None
    return member or abort(404)
