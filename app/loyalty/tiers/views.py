"""A member's tier: where they stand, what is missing for the next one, and how they got here."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import ngettext

from app.foundation import clock
from app.foundation.formats import day
from app.foundation.languages import translated
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.tiers import queries
from app.loyalty.tiers.cards import bars, ladder_cards, nearest, timeline
from app.loyalty.tiers.queries import TierProgress

tiers = Blueprint("tiers", __name__, url_prefix="/tiers")


@tiers.get("")
@requires(Permission.POINTS_OWN)
def show() -> Response:
    member, now = current_member(), clock.now()
    progress = queries.progress(member.id, now=now)
    return page(
        "loyalty/tiers/show.html",
        name=member.name or member.code,
        tier_name=translated(progress.tier.name) if progress else "",
        rank=progress.tier.rank if progress else 0,
        since=day(progress.since) if progress and progress.since else None,
        next_name=translated(progress.next_tier.name) if progress and progress.next_tier else None,
        nearest=nearest(progress) if progress else None,
        bars=bars(progress) if progress else [],
        how=_how(progress) if progress else "",
        cards=ladder_cards(queries.ladder(), progress),
        history=timeline(queries.history(member.id)),
    )


def _how(progress: TierProgress) -> str:
    """How the bars count together."""
    months = progress.window_months
    if len(progress.conditions) == 1:
        return ngettext("Counted over the last %(num)s month.", "Counted over the last %(num)s months.", months)
    if progress.match == "any":
        return ngettext(
            "One full bar is enough. Counted over the last %(num)s month.",
            "One full bar is enough. Counted over the last %(num)s months.",
            months,
        )
    return ngettext(
        "All bars must be full. Counted over the last %(num)s month.",
        "All bars must be full. Counted over the last %(num)s months.",
        months,
    )
