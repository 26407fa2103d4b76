"""Benefits of one member at the desk: given by hand, ended, and gifts handed out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import day
from app.foundation.formtools import refuse
from app.foundation.languages import translated
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.foundation.terms import current
from app.identity.members.queries import member_by_code
from app.identity.session import current_staff
from app.loyalty.benefits.actions import end_benefit, give_benefit, hand_out
from app.loyalty.benefits.forms import GrantForm
from app.loyalty.benefits.statements import desk_card, grant_lines
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.benefits.words import sentence

if TYPE_CHECKING:
    from app.identity.members.models import Member

member_benefits = Blueprint("member_benefits", __name__, url_prefix="/members/<code>/benefits")


@member_benefits.get("")
@requires(Permission.BENEFIT_ASSIGN)
def show(code: str) -> Response:
    return _page(_member_or_404(code), GrantForm())


@member_benefits.post("")
@requires(Permission.BENEFIT_ASSIGN)
def create(code: str) -> ResponseReturnValue:
    member, form = _member_or_404(code), GrantForm()
    form.code.choices = _choices()
    if not form.validate_on_submit():
        return _page(member, form, status=422)
    by = current_staff().actor
    try:
        with transaction():
            give_benefit(
                member=member,
                code=form.code.data,
                first_day=form.first_day.data,
                last_day=form.last_day.data,
                reason=form.reason.data,
                by=by,
                now=clock.now(),
            )
    except DomainError as error:
        refuse(form, error)
        return _page(_member_or_404(code), form, status=error.status)
    flash(_("The benefit is given until %(day)s.", day=day(form.last_day.data)), "success")
    return seen(url_for(".show", code=code))


@member_benefits.post("/<int:grant_id>/ending")
@requires(Permission.BENEFIT_ASSIGN)
def create_ending(code: str, grant_id: int) -> ResponseReturnValue:
    member, by = _member_or_404(code), current_staff().actor
    with transaction():
        ended = end_benefit(member=member, grant_id=grant_id, by=by, now=clock.now())
    flash(_("The benefit has ended.") if ended else _("The benefit was over already. Nothing was changed."), "success")
    return seen(url_for(".show", code=code))


@member_benefits.post("/handing-out")
@requires(Permission.BENEFIT_ASSIGN)
def create_handing_out(code: str) -> ResponseReturnValue:
    member, by = _member_or_404(code), current_staff().actor
    try:
        with transaction():
            done = hand_out(member=member, voucher_code=request.form.get("voucher", "")[:20], by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("Handed out: %(gift)s.", gift=translated(done.what)), "success")
    return seen(url_for(".show", code=code))


def _member_or_404(code: str) -> Member:
    member = member_by_code(code) if code.isascii() and code.isalnum() else None
    return member or abort(404)


def _choices() -> list[tuple[str, str]]:
    known = [
        (each.code, _("%(name)s: %(what)s", name=translated(each.name), what=sentence(each)))
        for each in current(BenefitTerms).all
    ]
    return [("", _("Please choose")), *known] if known else []


def _page(member: Member, form: GrantForm, *, status: int = 200) -> Response:
    form.code.choices = _choices()
    now = clock.now()
    today = clock.local_date(now, clock.programme_zone())
    if not form.is_submitted():
        form.first_day.data = today
    return page(
        "loyalty/benefits/office/member.html",
        status=status,
        member=member,
        form=form,
        today=today.isoformat(),
        benefits=desk_card(member, now=now),
        grants=grant_lines(member.id, now=now),
    )
