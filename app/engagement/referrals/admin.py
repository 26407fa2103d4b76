"""Referrals for review: who brought whom, what was paid, and what was refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.engagement.referrals import queries
from app.engagement.referrals.rules import REASONS, STATES
from app.engagement.referrals.statements import REASON_LABELS, STATE_LABELS, STATE_TONES
from app.foundation.formats import moment, points
from app.foundation.listing import first_url, next_url
from app.foundation.pages import initials, page
from app.foundation.permissions import Permission, requires
from app.identity.members.queries import members_by_ids
from app.identity.members.queries import search as search_members

if TYPE_CHECKING:
    from app.engagement.referrals.models import Referral
    from app.identity.members.models import Member

referrals = Blueprint("referrals", __name__, url_prefix="/referrals")
PAGE = 50
MEMBERS = 100


@referrals.get("")
@requires(Permission.MEMBER_READ)
def index() -> ResponseReturnValue:
    filters = _filters()
    words = filters.get("q", "")
    part = queries.for_review(
        state=filters.get("state", ""),
        reason=filters.get("reason", ""),
        member_ids=[member.id for member in search_members(words, limit=MEMBERS)] if words else None,
        after=request.args.get("after"),
        limit=PAGE,
    )
    members = members_by_ids({id_ for each in part.items for id_ in (each.inviter_id, each.friend_id)})
    standing = queries.standing_of({each.inviter_id for each in part.items})
    return page(
        "engagement/referrals/office/index.html",
        fragments={"results"},
        rows=[Row.of(each, members, standing[each.inviter_id]) for each in part.items],
        chips=_chips(filters),
        reasons=[(reason, str(REASON_LABELS[reason])) for reason in REASONS],
        filters=filters,
        first_url=first_url(),
        next_url=next_url(part),
    )


def _filters() -> dict[str, str]:
    asked = {
        "q": " ".join(request.args.get("q", "").split())[:100],
        "state": request.args.get("state", ""),
        "reason": request.args.get("reason", ""),
    }
    known = {"state": STATES, "reason": REASONS}
    return {name: value for name, value in asked.items() if value and value in known.get(name, (value,))}


def _chips(filters: dict[str, str]) -> list[dict[str, Any]]:
    words = filters.get("q")
    states: list[tuple[str | None, str]] = [(None, _("All")), *((state, str(STATE_LABELS[state])) for state in STATES)]
    return [
        {"label": label, "url": url_for(".index", q=words, state=state), "active": filters.get("state") == state}
        for state, label in states
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """One referral as a line of the table."""

    friend: str
    friend_code: str
    friend_url: str
    initials: str
    inviter: str
    inviter_url: str
    circle: str
    state: str
    tone: str
    reason: str
    joined: str
    settled: str
    amounts: str

    @classmethod
    def of(cls, referral: Referral, members: dict[int, Member], standing: tuple[int, int]) -> Row:
        friend, inviter = members[referral.friend_id], members[referral.inviter_id]
        brought, refused = standing
        circle = ngettext("%(num)s friend", "%(num)s friends", brought)
        return cls(
            friend=friend.label,
            friend_code=friend.code,
            friend_url=url_for("backoffice.members.show", code=friend.code),
            initials=initials(friend.label),
            inviter=inviter.label,
            inviter_url=url_for("backoffice.members.show", code=inviter.code),
            circle=_("%(friends)s, %(refused)s refused", friends=circle, refused=refused) if refused else circle,
            state=str(STATE_LABELS[referral.state]),
            tone=STATE_TONES[referral.state],
            reason=str(REASON_LABELS[referral.reason]) if referral.reason else "",
            joined=moment(referral.joined_at, "short"),
            settled=moment(referral.settled_at, "short") if referral.settled_at else "–",
            amounts=_amounts(referral),
        )


def _amounts(referral: Referral) -> str:
    """What was paid: to the inviter, and to the friend."""
    if referral.state == "rewarded":
        return f"{points(referral.inviter_points, sign=True)} / {points(referral.friend_points, sign=True)}"
    return f"– / {points(referral.friend_points, sign=True)}" if referral.reason == "cap" else "–"
