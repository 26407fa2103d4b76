"""Courses ready to be read, and as a way to earn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.community.courses.queries import Standing, standings
from app.engagement.earn.statements import Bar, Reader, Way, capped_state, way
from app.foundation.formats import points
from app.foundation.languages import translated
from app.loyalty.earning.statements import cap_sentence

if TYPE_CHECKING:
    from app.community.courses.models import Course

PICTURE_LABELS = {
    "graduation-cap": _l("Graduation cap"),
    "books": _l("Books"),
    "teapot": _l("Teapot"),
    "coffee": _l("Cup of coffee"),
    "bread": _l("Bread"),
    "cake": _l("Cake"),
    "salad": _l("Salad"),
    "wine": _l("Glass of wine"),
    "potted-plant": _l("Potted plant"),
    "yoga": _l("Yoga"),
    "skincare": _l("Skin care"),
    "camera": _l("Camera"),
    "guitar": _l("Guitar"),
    "laptop": _l("Laptop"),
    "scissors": _l("Scissors"),
    "compass": _l("Compass"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """A course in the member's list. ``place`` is the part of the page it stands in."""

    place: str
    title: str
    summary: str
    picture: str
    tint: int
    url: str
    badge: str
    tone: str
    bar: Bar | None
    note: str


def tint_of(course: Course) -> int:
    return course.id % 8 + 1


def lessons_text(count: int) -> str:
    return ngettext("%(num)s lesson", "%(num)s lessons", count)


def bar_of(standing: Standing) -> Bar:
    done = _("%(done)s of %(all)s lessons", done=standing.read, all=standing.lessons)
    return Bar(standing.read, standing.lessons, _("Lessons read"), done)


def card_of(standing: Standing) -> Card:
    course = standing.course
    place, badge, tone, note = _place(standing)
    return Card(
        place=place,
        title=translated(course.title),
        summary=translated(course.summary),
        picture=course.picture,
        tint=tint_of(course),
        url=url_for("portal.courses.show", code=course.code),
        badge=badge,
        tone=tone,
        bar=bar_of(standing) if standing.begun and not standing.completed else None,
        note=note,
    )


def _place(standing: Standing) -> tuple[str, str, str, str]:
    lessons = lessons_text(standing.lessons)
    if not standing.published:
        return "mine", _("Being revised"), "info", lessons
    if standing.completed:
        worth = standing.progress.points if standing.progress else 0
        earned = _("%(points)s points earned", points=points(worth)) if worth else lessons
        return "finished", _("Finished"), "brand", earned
    if not standing.may_read:
        return "locked", _("In the mall"), "neutral", lessons
    if standing.begun:
        return "mine", _("Begun"), "gold", ""
    return (
        ("mine", _("Yours"), "violet", lessons) if standing.given else ("open", _("Free of charge"), "brand", lessons)
    )


def rule_of(lessons: int, worth: int) -> str:
    """What a course brings, in a sentence."""
    return ngettext(
        "Read its %(num)s lesson, and get %(points)s points.",
        "Read all %(num)s lessons, and get %(points)s points.",
        lessons,
        points=points(worth),
    )


@way
def courses(reader: Reader) -> list[Way]:
    """Those that the member may read and has not finished, what they have begun first."""
    rule = reader.rule("course")
    if rule is None:
        return []
    state, tone = capped_state(rule, reader.had_of("course"))
    open_ones = [each for each in standings(reader.member.id) if each.may_read and not each.completed]
    return [
        Way(
            group="courses",
            title=translated(each.course.title),
            rule=rule_of(each.lessons, rule.points),
            worth=points(rule.points, sign=True),
            cap=cap_sentence(rule.caps),
            state=state,
            tone=tone,
            action=_("Carry on") if each.begun else _("Begin"),
            url=url_for("portal.courses.show", code=each.course.code),
            picture=each.course.picture,
            colour="violet",
            bar=bar_of(each) if each.begun else None,
        )
        for each in sorted(open_ones, key=lambda each: not each.begun)
    ]
