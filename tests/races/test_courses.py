"""Two tabs with the last two lessons, an editor, and an order that is sent back meanwhile. PostgreSQL only."""

from __future__ import annotations

import sqlalchemy as sa

from app.community.courses.actions import begin_course, read_lesson, remove_lesson, take_access_back
from app.community.courses.errors import NoAccess, NotThere, ReadAlready
from app.community.courses.models import LessonRead
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.queries import standing
from tests.community.courses.making import give, lesson_ids, make_course
from tests.conftest import NOON
from tests.factories import make_member
from tests.racing import ON_POSTGRESQL, at_once

pytestmark = ON_POSTGRESQL


def rows(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def reading(course_id, member, lesson, *, beginning=False):
    def read():
        if beginning:
            with transaction():
                begin_course(course_id=course_id, member_id=member, now=NOON)
        with transaction():
            progress = read_lesson(course_id=course_id, lesson_id=lesson, member_id=member, now=NOON)
            return progress.completed_at is not None

    return read


def test_all_lessons_at_once_in_two_tabs_each_finish_once(app):
    alice, course = make_member(), make_course(lessons=5).id
    lessons = lesson_ids() * 2
    finished = at_once(app, [reading(course, alice, lesson) for lesson in lessons])
    assert any(finished)
    assert rows(LessonRead) == 5
    assert standing(alice, now=NOON).available == Points(30)


def test_a_lesson_is_read_or_removed_and_never_both(app):
    course = make_course().id
    lesson, members = lesson_ids()[0], [make_member() for _ in range(4)]
    db.session.rollback()

    def remove():
        with transaction():
            remove_lesson(course_id=course, lesson_id=lesson, by=SYSTEM, now=NOON)

    removed, *read = at_once(app, [remove, *(reading(course, member, lesson) for member in members)])
    if removed is None:
        assert all(isinstance(each, NotThere) for each in read)
        assert rows(LessonRead) == 0
    else:
        assert isinstance(removed, ReadAlready)
        assert read == [False] * 4


def test_access_is_used_or_taken_back_and_never_both(app):
    course = make_course(open_to_all=False).id
    lesson, members = lesson_ids()[0], [make_member() for _ in range(4)]
    for member in members:
        give(member, key=f"order:{member}")
    db.session.rollback()

    def send_back(member):
        with transaction():
            return take_access_back(member_id=member, key=f"order:{member}", now=NOON)

    tasks = [
        task
        for each in members
        for task in (reading(course, each, lesson, beginning=True), lambda each=each: send_back(each))
    ]
    answers = at_once(app, tasks)
    for read, taken in zip(answers[::2], answers[1::2], strict=True):
        assert isinstance(read, NoAccess) is taken
    assert rows(LessonRead) == answers[1::2].count(False)
