"""Courses, their lessons, who was given access, and how far members have come."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Amount, Id, JsonObject, Model, reference

LONGEST_KEY = 160


class Course(Model):
    """Texts by language; the description is Markdown. Members see it once it is published.

    ``open_to_all`` is for every member, anything else for those who were given access. ``picture`` is one of
    ``rules.PICTURES``. ``unit_id`` is whose course it is; ``None`` is the programme's own.
    """

    __tablename__ = "course"

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    unit_id: Mapped[int | None] = reference("unit.id", index=True)
    title: Mapped[JsonObject]
    summary: Mapped[JsonObject]
    description: Mapped[JsonObject]
    picture: Mapped[str] = mapped_column(sa.String(40))
    open_to_all: Mapped[bool]
    published_at: Mapped[datetime | None]


class Lesson(Model):
    """The body is Markdown, by language. Read by their ``rank``, the lower one first."""

    __tablename__ = "course_lesson"
    __table_args__ = (sa.Index(None, "course_id", "rank"),)

    id: Mapped[Id]
    course_id: Mapped[int] = reference("course.id")
    rank: Mapped[int]
    title: Mapped[JsonObject]
    body: Mapped[JsonObject]


class Enrolment(Model):
    """A member was given access. ``key`` names the fact behind it, such as an order's line, which gives it once.

    Of several for one course each counts by itself: whoever bought it twice and sends one back keeps the other.
    Lessons can be read from ``opened_at`` on, and what is opened cannot be given back.
    """

    __tablename__ = "course_enrolment"
    __table_args__ = (sa.Index(None, "member_id", "course_id"),)

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    course_id: Mapped[int] = reference("course.id", index=True)
    key: Mapped[str] = mapped_column(sa.String(LONGEST_KEY), unique=True)
    given_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Progress(Model):
    """A member began a course and perhaps finished it, once: ``points`` is what that brought.

    Finished stays finished, also when lessons are added later.
    """

    __tablename__ = "course_progress"
    __table_args__ = (
        sa.UniqueConstraint("member_id", "course_id"),
        sa.CheckConstraint("points >= 0", name="points_not_negative"),
    )

    id: Mapped[Id]
    member_id: Mapped[int] = reference("member.id")
    course_id: Mapped[int] = reference("course.id", index=True)
    begun_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    points: Mapped[Amount] = mapped_column(default=0)


class LessonRead(Model):
    """A member has read a lesson."""

    __tablename__ = "course_lesson_read"

    member_id: Mapped[int] = reference("member.id", primary_key=True, autoincrement=False)
    lesson_id: Mapped[int] = reference("course_lesson.id", primary_key=True, autoincrement=False, index=True)
    at: Mapped[datetime]
