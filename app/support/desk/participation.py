"""Writing down that a member took part in something which the system does not see by itself: an event, a course."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.community.courses.actions import subject_of
from app.community.courses.queries import course_called
from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.errors import InvalidInput
from app.loyalty.earning.actions import Granted, reward
from app.loyalty.earning.queries import rewards_at

if TYPE_CHECKING:
    from app.identity.members.models import Member
    from app.loyalty.earning.rules import Reward

KINDS = {
    "event": _l("Attended an event"),
    "course": _l("Finished a course"),
    "survey": _l("Answered a survey"),
    "review": _l("Wrote a review"),
    "review_picture": _l("Wrote a review with a picture"),
}
LONGEST_TITLE = 60
OLDEST_MONTHS = 12
RECORD = "activity.record"

audit.describe("member", _l("Member"), {RECORD: _l("Participation recorded")})


def recordable(now: datetime) -> dict[str, Reward]:
    """The kinds that bring something under the rules in force."""
    rules = rewards_at(now)
    return {kind: rules[kind] for kind in KINDS if kind in rules and rules[kind].points}


def record_participation(*, member: Member, kind: str, title: str, day: date, by: Actor, now: datetime) -> Granted:
    """What it brings by the rules; the same thing of the same day a second time brings nothing, and leaves no entry.

    A course that members can also read with us is one course, whoever notes that it is finished, and brings its points
    once. Raises ``InvalidInput``.
    """
    told = " ".join(title.split())
    if kind not in recordable(now):
        raise InvalidInput(_("Please choose what the member did."))
    if not told or len(told) > LONGEST_TITLE:
        raise InvalidInput(_("Please name it, in %(most)s signs at most.", most=LONGEST_TITLE))
    if day > clock.local_date(now, clock.programme_zone()):
        raise InvalidInput(_("This day is still to come."))
    if day < clock.months_after(clock.local_date(now, clock.programme_zone()), -OLDEST_MONTHS):
        raise InvalidInput(_("This is more than a year ago."))
    granted = reward(member_id=member.id, kind=kind, subject=_subject(kind, told, day), about=told, now=now)
    if granted.fresh:
        after = {"kind": kind, "title": told, "day": day.isoformat(), "points": int(granted.points)}
        audit.record(RECORD, subject=("member", member.code, member.label), by=by, now=now, after=after)
    return granted


def _subject(kind: str, title: str, day: date) -> str:
    course = course_called(title, _folded) if kind == "course" else None
    return subject_of(course) if course else f"{day}:{_folded(title)}"


def _folded(title: str) -> str:
    """Capitals, full-width letters, and signs that nobody sees make no difference."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", title) if unicodedata.category(sign) != "Cf")
    return plain.casefold()[:LONGEST_TITLE]
