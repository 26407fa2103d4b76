"""A member's benefits: what they have, what they can claim, what they claimed, and what each tier brings."""

from __future__ import annotations

from flask import Blueprint, Response, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.benefits.actions import claim
from app.loyalty.benefits.errors import ClaimedBefore
from app.loyalty.benefits.statements import comparison, my_benefits
from app.loyalty.tiers import queries as tiers
from app.loyalty.tiers.statements import place_of

benefits = Blueprint("benefits", __name__, url_prefix="/benefits")


@benefits.get("")
@requires(Permission.BENEFIT_OWN)
def index() -> Response:
    member, now = current_member(), clock.now()
    place = place_of(tiers.progress(member.id, now=now))
    mine = my_benefits(member, now=now)
    fresh = request.args.get("claimed", type=int)
    return page(
        "loyalty/benefits/index.html",
        place=place,
        mine=mine,
        fresh=next((each for each in mine.claims if each.id == fresh), None),
        tiers=comparison(tiers.ladder(), place.rank, now=now),
    )


@benefits.post("/claims")
@requires(Permission.BENEFIT_OWN)
def create_claim() -> ResponseReturnValue:
    member, form = current_member(), request.form
    try:
        with transaction():
            done = claim(member=member, code=form.get("code", ""), period=form.get("period", ""), now=clock.now())
    except ClaimedBefore as before:  # A double click: the gift is theirs, so this is no mistake.
        flash(str(before), "info")
        return seen(url_for(".index"))
    flash(_("The gift is yours."), "success")
    return seen(url_for(".index", claimed=done.claim.id))
