"""Courses on offer, how far a member has come, and what all members did together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.community.courses.models import Course, Enrolment, Lesson, LessonRead, Progress
from app.foundation.database import db

_LESSONS = sa.select(sa.func.count()).where(Lesson.course_id == Course.id).scalar_subquery()


def course_by_code(code: str) -> Course | None:
    return db.session.scalar(sa.select(Course).where(Course.code == code))


def lessons_of(course_id: int) -> Sequence[Lesson]:
    """In their order."""
    which = sa.select(Lesson).where(Lesson.course_id == course_id).order_by(Lesson.rank, Lesson.id)
    return db.session.scalars(which.execution_options(populate_existing=True)).all()


def read_before(lesson_id: int) -> bool:
    """Has anybody read it?"""
    return (
        db.session.scalar(sa.select(LessonRead.lesson_id).where(LessonRead.lesson_id == lesson_id).limit(1)) is not None
    )


def reads_of(course_id: int, member_id: int) -> set[int]:
    """The lessons that a member has read."""
    mine = (
        sa.select(LessonRead.lesson_id)
        .join(Lesson, Lesson.id == LessonRead.lesson_id)
        .where(LessonRead.member_id == member_id, Lesson.course_id == course_id)
    )
    return set(db.session.scalars(mine))


def access_unopened(*, member_id: int, key: str) -> bool:
    """Did the member not open what ``key`` gave? So it is too where it never gave any, or that has ended."""
    mine = sa.exists().where(Enrolment.member_id == member_id, Enrolment.key == key, Enrolment.ended_at.is_(None))
    return not db.session.scalar(sa.select(mine.where(Enrolment.opened_at.is_not(None))))


def has_access(*, member_id: int, code: str) -> bool:
    """Was the member given access to this course, and has it still?"""
    mine = Enrolment.member_id == member_id, Enrolment.ended_at.is_(None), Course.code == code
    which = sa.exists().where(Enrolment.course_id == Course.id, *mine)
    return bool(db.session.scalar(sa.select(which)))


def enrolments(course_id: int, member_id: int) -> sa.Select[Enrolment]:
    """What gives a member access to a course now."""
    mine = sa.select(Enrolment).where(Enrolment.course_id == course_id, Enrolment.member_id == member_id)
    return mine.where(Enrolment.ended_at.is_(None)).order_by(Enrolment.id)


def offered_courses() -> Sequence[Course]:
    """The published courses that not everybody may read anyway."""
    which = sa.select(Course).where(Course.published_at.is_not(None), Course.open_to_all.is_(False))
    return db.session.scalars(which.order_by(Course.code)).all()


def course_called(title: str, fold: Callable[[str], str]) -> Course | None:
    """The course with this title in whatever language; ``fold`` makes two spellings of one title equal."""
    wanted = fold(title)
    courses = db.session.scalars(sa.select(Course).order_by(Course.id))
    return next((each for each in courses if any(fold(text) == wanted for text in each.title.values())), None)


# --- as one member sees them ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """A course as one member sees it. ``given`` is whether they were given access, ``read`` how many lessons.

    ``opened``: did they begin what they were given?
    """

    course: Course
    lessons: int
    read: int
    given: bool
    opened: bool
    progress: Progress | None

    @property
    def published(self) -> bool:
        return self.course.published_at is not None

    @property
    def may_read(self) -> bool:
        return self.published and (self.course.open_to_all or self.given)

    @property
    def sealed(self) -> bool:
        """Must the member say first that they begin, because it can still be given back?"""
        return self.may_read and not (self.course.open_to_all or self.opened)

    @property
    def completed(self) -> bool:
        return self.progress is not None and self.progress.completed_at is not None

    @property
    def begun(self) -> bool:
        return bool(self.read)


def standings(member_id: int) -> list[Standing]:
    """The published courses, the newest first, and those given to the member that were taken back: by one query."""
    return _standings(member_id, sa.true())


def standing_of(course_id: int, member_id: int) -> Standing | None:
    """``None`` where the member may not know of the course."""
    return next(iter(_standings(member_id, Course.id == course_id)), None)


def _standings(member_id: int, which: sa.ColumnElement[bool]) -> list[Standing]:
    gives = Enrolment.course_id == Course.id, Enrolment.member_id == member_id, Enrolment.ended_at.is_(None)
    given = sa.exists().where(*gives).correlate(Course)
    opened = sa.exists().where(*gives, Enrolment.opened_at.is_not(None)).correlate(Course)
    read = (
        sa.select(sa.func.count())
        .select_from(sa.join(LessonRead, Lesson, LessonRead.lesson_id == Lesson.id))
        .where(Lesson.course_id == Course.id, LessonRead.member_id == member_id)
        .correlate(Course)
        .scalar_subquery()
    )
    mine = sa.and_(Progress.course_id == Course.id, Progress.member_id == member_id)
    rows = db.session.execute(
        sa.select(Course, _LESSONS, read, given, opened, Progress)
        .outerjoin(Progress, mine)
        .where(which, sa.or_(Course.published_at.is_not(None), given))
        .order_by(Course.published_at.desc(), Course.id.desc())
    )
    return [Standing(*row) for row in rows]


# --- for colleagues -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    """A course, and how many members were given access, began it and finished it."""

    course: Course
    lessons: int
    given: int
    begun: int
    finished: int


def all_courses(units: Collection[int] | None) -> list[Listed]:
    """Of these units, ``None`` is of all; the latest first. A house has few of them."""
    return _listed(sa.true() if units is None else Course.unit_id.in_(units))


def listed(course_id: int) -> Listed:
    return _listed(Course.id == course_id)[0]


def _listed(which: sa.ColumnElement[bool]) -> list[Listed]:
    given = sa.select(sa.func.count(sa.distinct(Enrolment.member_id))).where(
        Enrolment.course_id == Course.id, Enrolment.ended_at.is_(None)
    )
    begun = sa.select(sa.func.count()).where(Progress.course_id == Course.id)
    counts = [each.scalar_subquery() for each in (given, begun, begun.where(Progress.completed_at.is_not(None)))]
    rows = db.session.execute(sa.select(Course, _LESSONS, *counts).where(which).order_by(Course.id.desc()))
    return [Listed(*row) for row in rows]


def office_course(code: str, units: Collection[int] | None) -> Course | None:
    """A course of these units; others are not there."""
    course = course_by_code(code)
    return course if course and (units is None or course.unit_id in units) else None


def readers_of(course_id: int) -> Mapping[int, int]:
    """Lesson → how many members have read it."""
    counts = (
        sa.select(LessonRead.lesson_id, sa.func.count())
        .join(Lesson, Lesson.id == LessonRead.lesson_id)
        .where(Lesson.course_id == course_id)
        .group_by(LessonRead.lesson_id)
    )
    return dict(db.session.execute(counts).all())
