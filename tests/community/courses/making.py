"""A course to take, in a few words."""

from __future__ import annotations

from typing import Any

from app.community.courses.actions import (
    begin_course,
    create_course,
    give_access,
    publish_course,
    read_lesson,
    write_lesson,
)
from app.community.courses.models import Course
from app.community.courses.queries import course_by_code, lessons_of
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from tests.conftest import NOON


def make_course(code: str = "tea", *, lessons: int = 2, published: bool = True, **fields: Any) -> Course:
    """Brewing tea, in two lessons, free for every member."""
    known = {"unit_id": None, "summary": {}, "description": {}, "picture": "teapot", "open_to_all": True}
    with transaction():
        course = create_course(code=code, **{"title": {"en": "Brewing tea"}, **known, **fields}, by=SYSTEM, now=NOON)
        for number in range(1, lessons + 1):
            write_lesson(
                course_id=course.id,
                lesson_id=None,
                title={"en": f"Tea lesson {number}"},
                body={"en": f"What is **told** in {number}."},
                by=SYSTEM,
                now=NOON,
            )
        if published:
            publish_course(course_id=course.id, by=SYSTEM, now=NOON)
    return course


def lesson_ids(code: str = "tea") -> list[int]:
    db.session.rollback()
    course = course_by_code(code)
    assert course
    return [lesson.id for lesson in lessons_of(course.id)]


def give(member_id: int, code: str = "tea", key: str = "order:1:1", now=NOON) -> bool:
    db.session.rollback()
    with transaction():
        return give_access(member_id=member_id, code=code, key=key, now=now)


def begin(member_id: int, code: str = "tea", now=NOON) -> None:
    db.session.rollback()
    course = course_by_code(code)
    assert course
    course_id = course.id
    with transaction():
        begin_course(course_id=course_id, member_id=member_id, now=now)


def read(member_id: int, *places: int, code: str = "tea", now=NOON):
    """Read the lessons at these places, counted from 1, each in a transaction of its own. The progress after it."""
    ids, progress = lesson_ids(code), None
    for place in places:
        course = course_by_code(code)
        course_id = course.id
        with transaction():
            progress = read_lesson(course_id=course_id, lesson_id=ids[place - 1], member_id=member_id, now=now)
    return progress
