"""The shops write courses, and members read them: some to the end, some half of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from app.community.courses import actions as courses
from app.community.courses.queries import course_by_code, lessons_of
from app.entrypoints.demo import content
from app.entrypoints.demo.world import Living, World
from app.foundation.database import transaction


def note_courses(world: World) -> None:
    for sheet in content.courses():
        code, published = sheet["code"], world.diary.at(sheet["published"], 9, 20)
        world.diary.note(published, partial(_publish, world, sheet))
        for number, days_ago in sheet["given"].items():
            _note(world, number, world.diary.at(days_ago, 12), partial(_give, code))
        for number, days in sheet["readers"].items():
            for place, days_ago in enumerate(days):
                _note(world, number, world.diary.at(days_ago, 21, 5 + place), partial(_read, code, place))


def _note(world: World, number: str, moment: datetime, act: Any) -> None:
    """Small demos have not all of the people."""
    if int(number) < len(world.members):
        person = world.members[int(number)]
        if person.joins + timedelta(hours=1) < moment:
            world.diary.note(moment, partial(act, person))


def _publish(world: World, sheet: dict[str, Any], now: datetime) -> None:
    by = world.colleagues["merchant"]
    texts = {name: sheet[name] for name in ("title", "summary", "description")}
    with transaction():
        course = courses.create_course(
            code=sheet["code"],
            unit_id=world.units[sheet["unit"]],
            picture=sheet["picture"],
            open_to_all=sheet["open_to_all"],
            **texts,
            by=by,
            now=now,
        )
        for lesson in sheet["lessons"]:
            courses.write_lesson(course_id=course.id, lesson_id=None, **lesson, by=by, now=now)
        courses.publish_course(course_id=course.id, by=by, now=now)


def _give(code: str, person: Living, now: datetime) -> None:
    with transaction():
        courses.give_access(member_id=person.id, code=code, key=f"demo:{code}:{person.number}", now=now)
        course = course_by_code(code)
        assert course is not None
        courses.begin_course(course_id=course.id, member_id=person.id, now=now)


def _read(code: str, place: int, person: Living, now: datetime) -> None:
    with transaction():
        course = course_by_code(code)
        assert course is not None
        lesson = lessons_of(course.id)[place]
        courses.read_lesson(course_id=course.id, lesson_id=lesson.id, member_id=person.id, now=now)
