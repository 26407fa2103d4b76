"""Giving access, reading, finishing once; and making a course."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.community.courses import queries
from app.community.courses.errors import NoAccess, NotBegun, NotThere, ReadAlready
from app.community.courses.models import Course, Enrolment, Lesson, LessonRead, Progress
from app.community.courses.rules import MOST_LESSONS, PICTURES
from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, insert_new, keep_lock_order, lock
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.identity.units.queries import unit_by_id
from app.loyalty.earning.actions import reward

CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
Texts = Mapping[str, str]

audit.describe(
    "course",
    _l("Course"),
    {
        "course.create": _l("Course created"),
        "course.update": _l("Course changed"),
        "course.lesson": _l("Lesson written"),
        "course.lesson_moved": _l("Lessons put in another order"),
        "course.lesson_removed": _l("Lesson removed"),
        "course.publish": _l("Course published"),
        "course.withdraw": _l("Course taken back"),
    },
)


def subject_of(course: Course) -> str:
    """What names the course among what a member was rewarded for, whoever writes it down."""
    return f"course:{course.code}"


# --- access ---------------------------------------------------------------------------------


def give_access(*, member_id: int, code: str, key: str, now: datetime) -> bool:
    """A member may read the course from now on. The same ``key`` gives once; returns whether this was the first time.

    Raises ``LookupError`` where there is no such course.
    """
    course = queries.course_by_code(code)
    if course is None:
        raise LookupError(f"There is no course {code!r} to give.")
    row = {"member_id": member_id, "course_id": course.id, "key": key, "given_at": now}
    row |= {"opened_at": None, "ended_at": None}
    return bool(insert_new(Enrolment, [row], unless=["key"], returning=[Enrolment.id]))


def take_access_back(*, member_id: int, key: str, now: datetime) -> bool:
    """End what ``key`` gave; ``False`` where it was opened. What another key gave stays.

    What never was given, or was taken back before, changes nothing. Locks the enrolment only, and out of the written
    order: whoever reads locks it before anything else.
    """
    mine = sa.select(Enrolment).where(Enrolment.member_id == member_id, Enrolment.key == key)
    locked = mine.with_for_update().execution_options(populate_existing=True)
    enrolment = db.session.scalars(locked).one_or_none()
    if enrolment is None or enrolment.ended_at is not None:
        return True
    if enrolment.opened_at is not None:
        return False
    enrolment.ended_at = now
    db.session.flush()
    return True


def begin_course(*, course_id: int, member_id: int, now: datetime) -> None:
    """Open the lessons of a course that the member was given: from now on it cannot be given back.

    One of several is opened, the oldest. Doing it again changes nothing. Raises ``NoAccess`` and ``NotThere``.
    """
    given = _hold_access(course_id, member_id)
    course = _held(course_id)
    if course.published_at is None:
        raise NotThere
    if not given:
        raise NoAccess
    if not any(each.opened_at for each in given):
        given[0].opened_at = now
        db.session.flush()


# --- reading --------------------------------------------------------------------------------


def read_lesson(*, course_id: int, lesson_id: int, member_id: int, now: datetime) -> Progress:
    """Note that a member has read a lesson; with the last one the course is finished, and brings its points, once.

    Doing it again changes nothing. Raises ``NoAccess``, ``NotBegun`` and ``NotThere``, and then nothing is written.
    """
    given = _hold_access(course_id, member_id)
    course = _held(course_id)
    if course.published_at is None:
        raise NotThere
    if not (course.open_to_all or given):
        raise NoAccess
    if not (course.open_to_all or any(each.opened_at for each in given)):
        raise NotBegun
    lessons = {each.id for each in queries.lessons_of(course_id)}
    if lesson_id not in lessons:
        raise NotThere
    progress = _progress(course_id, member_id, now=now)
    row = {"member_id": member_id, "lesson_id": lesson_id, "at": now}
    insert_new(LessonRead, [row], unless=["member_id", "lesson_id"], returning=[LessonRead.lesson_id])
    if progress.completed_at is None and lessons <= queries.reads_of(course_id, member_id):
        _complete(progress, course, now=now)
    return progress


def _hold_access(course_id: int, member_id: int) -> Sequence[Enrolment]:
    """What gives the member access, the oldest first. Nobody takes it back until this transaction has ended."""
    return db.session.scalars(lock(LockOrder.COUPON, queries.enrolments(course_id, member_id))).all()


def _held(course_id: int) -> Course:
    """The course as it is, and stays until this transaction has ended; readers do not wait for each other."""
    keep_lock_order(LockOrder.EARNING)
    which = sa.select(Course).where(Course.id == course_id).with_for_update(read=True, key_share=True)
    return db.session.scalars(which.execution_options(populate_existing=True)).one()


def _progress(course_id: int, member_id: int, *, now: datetime) -> Progress:
    """The member's own, locked: two tabs with the last two lessons come one after the other."""
    row = {"member_id": member_id, "course_id": course_id, "begun_at": now, "completed_at": None, "points": 0}
    insert_new(Progress, [row], unless=["member_id", "course_id"], returning=[Progress.id])
    mine = sa.select(Progress).where(Progress.course_id == course_id, Progress.member_id == member_id)
    return db.session.scalars(lock(LockOrder.EARNING, mine)).one()


def _complete(progress: Progress, course: Course, *, now: datetime) -> None:
    granted = reward(
        member_id=progress.member_id,
        kind="course",
        subject=subject_of(course),
        about=translated(course.title),
        unit_id=course.unit_id,
        now=now,
    )
    progress.completed_at = now
    progress.points = int(granted.points) if granted.fresh else 0
    db.session.flush()


# --- making one -----------------------------------------------------------------------------


def create_course(
    *,
    code: str,
    unit_id: int | None,
    title: Texts,
    summary: Texts,
    description: Texts,
    picture: str,
    open_to_all: bool,
    by: Actor,
    now: datetime,
) -> Course:
    """A course without lessons, which nobody sees yet. Raises ``InvalidInput``."""
    if not CODE.fullmatch(code):
        raise InvalidInput(_("A code has small letters, digits and hyphens, 40 at most."))
    values = _checked(title=title, summary=summary, description=description, picture=picture)
    row = {"code": code, "unit_id": unit_id, "open_to_all": open_to_all, "published_at": None, **values}
    if not insert_new(Course, [row], unless=["code"], returning=[Course.id]):
        raise InvalidInput(_("Another course has this code already."))
    course = db.session.scalars(sa.select(Course).where(Course.code == code)).one()
    _record("course.create", course, by=by, now=now, after=_facts(course))
    return course


def update_course(
    *,
    course_id: int,
    unit_id: int | None,
    title: Texts,
    summary: Texts,
    description: Texts,
    picture: str,
    open_to_all: bool,
    by: Actor,
    now: datetime,
) -> Course:
    """Raises ``InvalidInput``."""
    course = _locked(course_id)
    before = _facts(course)
    values = _checked(title=title, summary=summary, description=description, picture=picture)
    for name, value in {**values, "unit_id": unit_id, "open_to_all": open_to_all}.items():
        setattr(course, name, value)
    _record("course.update", course, by=by, now=now, before=before, after=_facts(course))
    return course


def write_lesson(
    *, course_id: int, lesson_id: int | None, title: Texts, body: Texts, by: Actor, now: datetime
) -> Lesson:
    """A new lesson, at the end, or the one with this id anew. Raises ``InvalidInput``."""
    course = _locked(course_id)
    if not _texts(title):
        raise InvalidInput(_("A lesson needs a title in one language at least."))
    if not _texts(body):
        raise InvalidInput(_("A lesson needs a text in one language at least."))
    there = queries.lessons_of(course_id)
    lesson = next((each for each in there if each.id == lesson_id), None)
    if lesson is None:
        if len(there) >= MOST_LESSONS:
            raise InvalidInput(_("A course has at most %(most)s lessons.", most=MOST_LESSONS))
        lesson = Lesson(course_id=course_id, rank=max((each.rank for each in there), default=0) + 1)
        db.session.add(lesson)
    before = {"lesson": lesson.title or {}, "text": lesson.body or {}}
    lesson.title, lesson.body = _texts(title), _texts(body)
    db.session.flush()
    after = {"lesson": lesson.title, "text": lesson.body}
    if before["lesson"]:
        _record("course.lesson", course, by=by, now=now, before=before, after=after)
    else:
        _record("course.lesson", course, by=by, now=now, after={"lesson": lesson.title})
    return lesson


def move_lesson(*, course_id: int, lesson_id: int, down: bool, by: Actor, now: datetime) -> None:
    """One place up or down. Whatever stands at the edge stays there; one that is gone already, too."""
    course = _locked(course_id)
    lessons = list(queries.lessons_of(course_id))
    place = next((place for place, each in enumerate(lessons) if each.id == lesson_id), None)
    if place is None:
        return
    other = place + 1 if down else place - 1
    if not 0 <= other < len(lessons):
        return
    before = [translated(each.title) for each in lessons]
    lessons[place], lessons[other] = lessons[other], lessons[place]
    for rank, each in enumerate(lessons, start=1):
        each.rank = rank
    db.session.flush()
    after = [translated(each.title) for each in lessons]
    _record("course.lesson_moved", course, by=by, now=now, before={"lessons": before}, after={"lessons": after})


def remove_lesson(*, course_id: int, lesson_id: int, by: Actor, now: datetime) -> None:
    """Raises ``InvalidInput``, ``ReadAlready``. One that is gone already stays gone."""
    course = _locked(course_id)  # Whoever reads holds it until it is written down.
    lesson = next((each for each in queries.lessons_of(course_id) if each.id == lesson_id), None)
    if lesson is None:
        return
    if queries.read_before(lesson_id):
        raise ReadAlready
    title = lesson.title
    db.session.delete(lesson)
    db.session.flush()
    _refuse_empty(course)
    _record("course.lesson_removed", course, by=by, now=now, before={"lesson": title}, after={})


def publish_course(*, course_id: int, by: Actor, now: datetime) -> Course:
    """Members see it. Doing it again changes nothing. Raises ``InvalidInput``."""
    course = _locked(course_id)
    if course.published_at is None:
        course.published_at = now
        _refuse_empty(course)
        _record("course.publish", course, by=by, now=now, before={"published": False}, after={"published": True})
    return course


def withdraw_course(*, course_id: int, by: Actor, now: datetime) -> Course:
    """A draft again: nobody reads it until it is published anew, and then everybody goes on where they were."""
    course = _locked(course_id)
    if course.published_at is not None:
        course.published_at = None
        _record("course.withdraw", course, by=by, now=now, before={"published": True}, after={"published": False})
    return course


# --- what they share ------------------------------------------------------------------------


def _locked(course_id: int) -> Course:
    return db.session.scalars(lock(LockOrder.EARNING, sa.select(Course).where(Course.id == course_id))).one()


def _checked(*, title: Texts, summary: Texts, description: Texts, picture: str) -> dict[str, object]:
    if not _texts(title):
        raise InvalidInput(_("A course needs a title in one language at least."))
    if picture not in PICTURES:
        raise InvalidInput(_("Please choose a picture from the list."))
    texts = {"title": _texts(title), "summary": _texts(summary), "description": _texts(description)}
    return {**texts, "picture": picture}


def _refuse_empty(course: Course) -> None:
    if course.published_at is not None and not queries.lessons_of(course.id):
        raise InvalidInput(_("A course needs a lesson before members see it."))


def _texts(texts: Texts) -> dict[str, str]:
    return {locale: text.strip() for locale, text in texts.items() if text and text.strip()}


def _facts(course: Course) -> dict[str, object]:
    unit = unit_by_id(course.unit_id) if course.unit_id else None
    return {
        "title": course.title,
        "summary": course.summary,
        "description": course.description,
        "picture": course.picture,
        "unit": unit.code if unit else None,
        "open_to_all": course.open_to_all,
        "published": course.published_at is not None,
    }


def _record(
    action: str,
    course: Course,
    *,
    by: Actor,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    subject = ("course", course.code, translated(course.title))
    audit.record(action, subject=subject, by=by, now=now, before=before, after=after)
