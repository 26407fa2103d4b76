"""Members take courses: what there is, a course with its lessons, a lesson to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.community.courses import queries
from app.community.courses.actions import begin_course, read_lesson
from app.community.courses.errors import NoAccess
from app.community.courses.rules import next_unread
from app.community.courses.statements import bar_of, card_of, lessons_text, rule_of, tint_of
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import day, points
from app.foundation.languages import translated
from app.foundation.markdown import to_html
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.earning.queries import reward_at
from app.loyalty.earning.statements import cap_sentence

if TYPE_CHECKING:
    from app.community.courses.models import Lesson
    from app.community.courses.queries import Standing

courses = Blueprint("courses", __name__, url_prefix="/courses")


@courses.get("")
@requires(Permission.COURSE_TAKE)
def index() -> Response:
    cards = [card_of(each) for each in queries.standings(current_member().id)]
    names = [(_("Your courses"), ("mine", "finished")), (_("More to discover"), ("open", "locked"))]
    groups = [(title, [card for place in places for card in cards if card.place == place]) for title, places in names]
    return page("community/courses/index.html", groups=[(title, found) for title, found in groups if found])


@courses.get("/<code>")
@requires(Permission.COURSE_TAKE)
def show(code: str) -> Response:
    return _course(_standing_or_404(code))


@courses.get("/<code>/lessons/<int:lesson_id>")
@requires(Permission.COURSE_TAKE)
def show_lesson(code: str, lesson_id: int) -> Response:
    """Who may not read it is shown what the course is and how to get it, or how to begin it."""
    standing = _standing_or_404(code)
    lessons = queries.lessons_of(standing.course.id)
    place = next((place for place, each in enumerate(lessons) if each.id == lesson_id), None)
    if place is None:
        abort(404)
    if not standing.may_read:
        return _course(standing, refused=str(NoAccess()) if standing.published else "", status=403)
    if standing.sealed:
        return _course(standing)
    return _lesson(standing, lessons, place)


@courses.post("/<code>/opening")
@requires(Permission.COURSE_TAKE)
def create_opening(code: str) -> ResponseReturnValue:
    """On to the first lesson."""
    standing, member_id = _standing_or_404(code), current_member().id
    course_id = standing.course.id
    try:
        with transaction():
            begin_course(course_id=course_id, member_id=member_id, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for(".show", code=code))
    lessons = [each.id for each in queries.lessons_of(course_id)]
    first = next_unread(lessons, queries.reads_of(course_id, member_id))
    return seen(_lesson_url(code, first) if first else url_for(".show", code=code))


@courses.post("/<code>/lessons/<int:lesson_id>/reading")
@requires(Permission.COURSE_TAKE)
def create_reading(code: str, lesson_id: int) -> ResponseReturnValue:
    """On to the lesson behind it; from the last one, and when all are read, back to the course."""
    standing, member_id = _standing_or_404(code), current_member().id
    course_id = standing.course.id
    try:
        with transaction():
            read_lesson(course_id=course_id, lesson_id=lesson_id, member_id=member_id, now=clock.now())
    except DomainError as error:
        flash(str(error), "warning")
        return seen(url_for(".show", code=code))
    lessons = [each.id for each in queries.lessons_of(course_id)]
    onward = next_unread(lessons, queries.reads_of(course_id, member_id), after=lesson_id)
    return seen(_lesson_url(code, onward) if onward else url_for(".show", code=code))


def _standing_or_404(code: str) -> Standing:
    course = queries.course_by_code(code)
    return (course and queries.standing_of(course.id, current_member().id)) or abort(404)


def _lesson_url(code: str, lesson_id: int) -> str:
    return url_for(".show_lesson", code=code, lesson_id=lesson_id)


# --- the pages ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A lesson in the list of its course; without ``url`` it cannot be read."""

    title: str
    url: str | None
    read: bool
    next: bool


def _course(standing: Standing, *, refused: str = "", status: int = 200) -> Response:
    course = standing.course
    if not standing.published:
        return page("community/courses/closed.html", status=status, title=translated(course.title))
    lessons = queries.lessons_of(course.id)
    read = queries.reads_of(course.id, current_member().id)
    readable = standing.may_read and not standing.sealed
    onward = next_unread([each.id for each in lessons], read) if readable else None
    if onward is None and readable and not standing.completed and lessons:
        onward = lessons[-1].id  # What was not read yet is gone: the last one finishes the course.
    rule = reward_at("course", clock.now())
    return page(
        "community/courses/show.html",
        status=status,
        refused=refused,
        title=translated(course.title),
        summary=translated(course.summary),
        description=to_html(translated(course.description), deeper=2),
        picture=course.picture,
        tint=tint_of(course),
        lessons_text=lessons_text(len(lessons)),
        lines=[_line(standing, each, read, onward) for each in lessons],
        bar=bar_of(standing) if standing.may_read else None,
        begun=standing.begun,
        begin_url=url_for(".create_opening", code=course.code) if standing.sealed else None,
        go_on_url=_lesson_url(course.code, onward) if onward else None,
        mall_url=None if standing.may_read else url_for("portal.mall.index", q=translated(course.title)),
        rule=rule_of(len(lessons), rule.points) if rule.points and not standing.completed else "",
        cap=cap_sentence(rule.caps) if rule.points else "",
        finished=_finished(standing),
    )


def _line(standing: Standing, lesson: Lesson, read: set[int], onward: int | None) -> Line:
    url = _lesson_url(standing.course.code, lesson.id) if standing.may_read and not standing.sealed else None
    return Line(translated(lesson.title), url, lesson.id in read, lesson.id == onward)


@dataclass(frozen=True, slots=True)
class Finished:
    headline: str
    points: bool
    on: str


def _finished(standing: Standing) -> Finished | None:
    progress = standing.progress
    if progress is None or progress.completed_at is None:
        return None
    if progress.points:
        headline = _("Well done: %(points)s points are yours.", points=points(progress.points))
    else:
        headline = _("Well done! You have read every lesson.")
    return Finished(headline, bool(progress.points), day(progress.completed_at))


def _lesson(standing: Standing, lessons: Sequence[Lesson], place: int) -> Response:
    course, lesson = standing.course, lessons[place]
    read = queries.reads_of(course.id, current_member().id)
    all_read = all(each.id in read for each in lessons)
    before, behind = lessons[place - 1] if place else None, lessons[place + 1] if place + 1 < len(lessons) else None
    return page(
        "community/courses/lesson.html",
        course=translated(course.title),
        course_url=url_for(".show", code=course.code),
        title=translated(lesson.title),
        body=to_html(translated(lesson.body), deeper=1),
        number=place + 1,
        total=len(lessons),
        read=lesson.id in read,
        reading_url=url_for(".create_reading", code=course.code, lesson_id=lesson.id)
        if lesson.id not in read or (all_read and not standing.completed)
        else None,
        last=len({each.id for each in lessons} - read - {lesson.id}) == 0,
        previous=(translated(before.title), _lesson_url(course.code, before.id)) if before else None,
        following=(translated(behind.title), _lesson_url(course.code, behind.id)) if behind else None,
    )
