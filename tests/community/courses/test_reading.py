"""Whoever has access reads; with the last lesson the course is finished and brings its points, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.community.courses.actions import (
    move_lesson,
    publish_course,
    read_lesson,
    remove_lesson,
    take_access_back,
    update_course,
    withdraw_course,
    write_lesson,
)
from app.community.courses.errors import NoAccess, NotBegun, NotThere, ReadAlready
from app.community.courses.models import Course, Enrolment, Lesson, LessonRead, Progress
from app.community.courses.queries import course_by_code, lessons_of, standings
from app.community.courses.rules import next_unread
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.foundation.terms import change
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.queries import standing
from tests.community.courses.making import begin, give, lesson_ids, make_course, read
from tests.conftest import NOON
from tests.factories import make_member

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def alice(app):
    return make_member()


def points(member):
    db.session.rollback()
    return standing(member, now=LATER).available


def rows(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def taken_back(member, key="order:1:1", now=LATER):
    db.session.rollback()
    with transaction():
        return take_access_back(member_id=member, key=key, now=now)


# --- reading --------------------------------------------------------------------------------


def test_the_last_lesson_finishes_the_course_and_brings_thirty_points(alice):
    make_course()
    assert read(alice, 1).completed_at is None
    assert points(alice) == Points(0)
    progress = read(alice, 2, now=LATER)
    assert (progress.begun_at, progress.completed_at, progress.points) == (NOON, LATER, 30)
    assert points(alice) == Points(30)


def test_the_order_of_reading_does_not_matter(alice):
    make_course(lessons=3)
    assert read(alice, 3, 1).completed_at is None
    assert read(alice, 2).points == 30


def test_reading_again_brings_nothing_again(alice):
    make_course()
    for _ in range(2):
        read(alice, 1, 2)
    assert points(alice) == Points(30)
    assert (rows(LessonRead), rows(Progress), rows(Rewarded)) == (2, 1, 1)


def test_what_somebody_else_has_read_counts_for_nobody_else(alice):
    make_course()
    read(make_member(), 1)
    assert read(alice, 2).completed_at is None


def test_a_lesson_of_another_course_finishes_nothing(alice):
    make_course()
    other = make_course("coffee", lessons=1)
    db.session.rollback()
    with pytest.raises(NotThere), transaction():
        read_lesson(course_id=other.id, lesson_id=lesson_ids()[0], member_id=alice, now=NOON)
    assert (rows(LessonRead), rows(Progress)) == (0, 0)


def test_a_draft_is_not_read(alice):
    make_course(published=False)
    with pytest.raises(NotThere):
        read(alice, 1)
    assert rows(Progress) == 0


def test_where_courses_bring_nothing_they_are_finished_all_the_same(alice):
    make_course(lessons=1)
    with transaction():
        change(EarningTerms, {"rewards": {}}, by=SYSTEM, now=NOON)
    progress = read(alice, 1, now=LATER)
    assert (progress.completed_at, progress.points) == (LATER, 0)


def test_a_lesson_added_later_leaves_finished_what_is_finished(alice):
    course = make_course(lessons=1)
    read(alice, 1)
    with transaction():
        write_lesson(
            course_id=course.id, lesson_id=None, title={"en": "More"}, body={"en": "And more."}, by=SYSTEM, now=NOON
        )
    assert read(alice, 2, now=LATER).completed_at == NOON
    assert points(alice) == Points(30)


# --- access ---------------------------------------------------------------------------------


def test_what_is_not_for_everybody_is_read_by_whom_it_was_given_to(alice):
    make_course(open_to_all=False)
    with pytest.raises(NoAccess):
        read(alice, 1)
    assert (rows(LessonRead), rows(Progress)) == (0, 0)
    give(alice)
    begin(alice)
    assert read(alice, 1, 2).points == 30


def test_the_same_key_gives_once(alice):
    make_course(open_to_all=False)
    assert [give(alice), give(alice)] == [True, False]
    assert rows(Enrolment) == 1


def test_access_taken_back_before_reading_is_gone(alice):
    make_course(open_to_all=False)
    give(alice)
    assert taken_back(alice) is True
    with pytest.raises(NoAccess):
        read(alice, 1)
    assert taken_back(alice) is True
    assert give(alice) is False  # The order's line has given what it had to give.
    with pytest.raises(NoAccess):
        read(alice, 1)


def test_what_was_begun_cannot_be_taken_back_though_nothing_was_read(alice):
    make_course(open_to_all=False)
    give(alice)
    begin(alice)
    assert taken_back(alice) is False
    assert read(alice, 1, 2).completed_at


def test_nothing_is_read_before_it_was_begun(alice):
    make_course(open_to_all=False)
    with pytest.raises(NoAccess):
        begin(alice)
    give(alice)
    with pytest.raises(NotBegun):
        read(alice, 1)
    assert (rows(LessonRead), rows(Progress)) == (0, 0)
    assert taken_back(alice) is True


def test_what_was_taken_back_is_not_begun(alice):
    make_course(open_to_all=False)
    give(alice)
    taken_back(alice)
    with pytest.raises(NoAccess):
        begin(alice)


def test_of_two_that_gave_the_same_course_one_is_begun_and_the_other_can_go_back(alice):
    make_course(open_to_all=False)
    for key in ("order:1:1", "order:2:1"):
        give(alice, key=key)
    for _ in range(2):
        begin(alice)
    assert taken_back(alice, key="order:2:1") is True
    assert taken_back(alice) is False


def test_what_another_key_gave_stays(alice):
    make_course(open_to_all=False)
    give(alice)
    give(alice, key="order:2:1")
    assert taken_back(alice) is True
    begin(alice)
    assert read(alice, 1)


def test_nobody_takes_back_what_somebody_else_was_given(alice):
    make_course(open_to_all=False)
    give(alice)
    assert taken_back(make_member()) is True
    begin(alice)
    assert read(alice, 1)


def test_a_course_that_is_not_there_cannot_be_given(alice):
    with pytest.raises(LookupError):
        give(alice, "nothing")
    assert rows(Enrolment) == 0


def test_a_member_sees_how_far_they_are_and_not_what_is_hidden(alice):
    make_course("free")
    make_course("sold", open_to_all=False)
    make_course("hidden", published=False)
    make_course("revised", open_to_all=False)
    for code in ("sold", "revised"):
        give(alice, code, key=code)
    begin(alice, "sold")
    read(alice, 1, code="sold")
    with transaction():
        withdraw_course(course_id=course_by_code("revised").id, by=SYSTEM, now=LATER)
    seen = {each.course.code: (each.may_read, each.given, each.read, each.lessons) for each in standings(alice)}
    assert seen == {"free": (True, False, 0, 2), "sold": (True, True, 1, 2), "revised": (False, True, 0, 2)}
    assert "revised" not in {each.course.code for each in standings(make_member())}


@pytest.mark.parametrize(
    ("read_", "after", "expected"), [([], None, 1), ([1], 1, 2), ([2, 3], 3, 1), ([1, 2, 3], 2, None), ([1], 9, 2)]
)
def test_the_next_lesson_is_the_next_that_was_not_read(read_, after, expected):
    assert next_unread([1, 2, 3], read_, after) == expected


# --- making one -----------------------------------------------------------------------------


def test_lessons_change_places_and_stay_at_the_edges(app):
    course = make_course(lessons=3)
    one, two, three = lesson_ids()
    for lesson, down in ((one, True), (three, True), (two, False)):
        with transaction():
            move_lesson(course_id=course.id, lesson_id=lesson, down=down, by=SYSTEM, now=NOON)
    assert lesson_ids() == [two, one, three]


def test_a_lesson_that_was_read_stays_and_one_that_was_not_goes(alice):
    course = make_course()
    one, two = lesson_ids()
    read(alice, 1)
    for lesson in (two, two):  # A second click finds it gone.
        with transaction():
            remove_lesson(course_id=course.id, lesson_id=lesson, by=SYSTEM, now=NOON)
    with pytest.raises(ReadAlready), transaction():
        remove_lesson(course_id=course.id, lesson_id=one, by=SYSTEM, now=NOON)
    assert lesson_ids() == [one]
    assert read(alice, 1, now=LATER).completed_at == LATER  # What was left to read is gone: this finishes it.


def test_what_members_see_has_a_lesson(app):
    course = make_course(lessons=0, published=False)
    with pytest.raises(InvalidInput, match="needs a lesson"), transaction():
        publish_course(course_id=course.id, by=SYSTEM, now=NOON)
    full = make_course("full", lessons=1)
    with pytest.raises(InvalidInput, match="needs a lesson"), transaction():
        remove_lesson(course_id=full.id, lesson_id=lesson_ids("full")[0], by=SYSTEM, now=NOON)
    assert len(lesson_ids("full")) == 1
    assert course_by_code("tea").published_at is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"code": "Tea Time"}, "code"), ({"title": {"en": " "}}, "title"), ({"picture": "x"}, "picture")],
)
def test_nonsense_makes_no_course(app, fields, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        make_course(**fields)
    assert rows(Course) == 0


@pytest.mark.parametrize(("title", "body"), [({}, {"en": "x"}), ({"en": "x"}, {"en": "  "})])
def test_a_lesson_has_a_title_and_a_text(app, title, body):
    course = make_course(lessons=0, published=False)
    with pytest.raises(InvalidInput), transaction():
        write_lesson(course_id=course.id, lesson_id=None, title=title, body=body, by=SYSTEM, now=NOON)
    assert rows(Lesson) == 0


def test_two_courses_do_not_share_a_code(app):
    make_course()
    with pytest.raises(InvalidInput, match="this code"):
        make_course()


def test_what_colleagues_do_is_in_the_audit_log(app):
    course = make_course()
    known = {"unit_id": None, "summary": {}, "description": {}, "picture": "teapot", "title": course.title}
    with transaction():
        for _ in range(2):  # The second time nothing changes, and nothing is written down.
            update_course(course_id=course.id, **known, open_to_all=False, by=SYSTEM, now=NOON)
        withdraw_course(course_id=course.id, by=SYSTEM, now=NOON)
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.action for entry in entries] == [
        "course.create",
        "course.lesson",
        "course.lesson",
        "course.publish",
        "course.update",
        "course.withdraw",
    ]
    assert (entries[4].before, entries[4].after) == ({"open_to_all": True}, {"open_to_all": False})
    assert lessons_of(course.id)[0].title == {"en": "Tea lesson 1"}
