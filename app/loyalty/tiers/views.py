"""A member's tier: where they stand, what is missing for the next one, and how they got here."""

from __future__ import annotations

from flask import Blueprint, Response

from app.foundation import clock
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.tiers import queries
from app.loyalty.tiers.histories import timeline
from app.loyalty.tiers.keeping import keeping_of
from app.loyalty.tiers.statements import ladder_cards, place_of

tiers = Blueprint("tiers", __name__, url_prefix="/tiers")


@tiers.get("")
@requires(Permission.POINTS_OWN)
def show() -> Response:
    member, now = current_member(), clock.now()
    progress = queries.progress(member.id, now=now)
    today = clock.local_date(now, clock.programme_zone())
    return page(
        "loyalty/tiers/show.html",
        name=member.label,
        place=place_of(progress),
        keeping=keeping_of(queries.keeping(member.id, now=now), today=today),
        cards=ladder_cards(queries.ladder(), progress),
        history=timeline(queries.history(member.id)),
    )
