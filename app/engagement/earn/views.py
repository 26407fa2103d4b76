"""The "Earn points" page: every way to earn, and how far this member has come today."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _

from app.engagement.earn import ways as _ways  # noqa: F401 - importing registers them
from app.engagement.earn.statements import Reader, Way, sources
from app.foundation import clock
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.earning.queries import rewards_at, rewards_had

earn = Blueprint("earn", __name__)


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    ways: list[Way]
    hint: str = ""
    more_url: str | None = None


@earn.get("/earn")
@requires(Permission.POINTS_OWN)
def show() -> Response:
    member, now = current_member(), clock.now()
    reader = Reader(member=member, now=now, had=rewards_had(member.id, now=now), rules=rewards_at(now))
    found = [each for source in sources for each in source(reader)]
    names = [
        ("daily", _("Every day"), ""),
        ("quizzes", _("Quizzes"), ""),
        ("courses", _("Courses"), ""),
        ("shopping", _("When you shop"), ""),
        ("once", _("You and your friends"), ""),
        ("days", _("Special days and goals"), _("These come by themselves.")),
        ("desk", _("When you take part"), _("A colleague of ours writes it down for you.")),
    ]
    more = {"quizzes": url_for("portal.quizzes.index"), "courses": url_for("portal.courses.index")}
    groups = [
        Group(title, [each for each in found if each.group == code], hint, more.get(code))
        for code, title, hint in names
    ]
    return page("engagement/earn/show.html", groups=[group for group in groups if group.ways])
