"""What the mall sells as access to a course is given here: the course's lessons open for the member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import url_for
from flask_babel import lazy_gettext as _l

from app.community.courses import actions as courses
from app.community.courses.queries import access_unopened, has_access, offered_courses
from app.foundation.languages import translated
from app.mall.catalog.actions import Grantable, Grantor, register_grantor


def choices() -> Sequence[Grantable]:
    return [Grantable(course.code, translated(course.title), course.unit_id) for course in offered_courses()]


def give(*, member_id: int, code: str, pieces: int, key: str, now: datetime) -> bool:
    """However many pieces, access is access."""
    courses.give_access(member_id=member_id, code=code, key=key, now=now)
    return True


def take_back(*, member_id: int, code: str, key: str, now: datetime) -> bool:
    return courses.take_access_back(member_id=member_id, key=key, now=now)


def unused(*, member_id: int, code: str, key: str) -> bool:
    return access_unopened(member_id=member_id, key=key)


def had(*, member_id: int, code: str) -> bool:
    return has_access(member_id=member_id, code=code)


def link(code: str) -> str:
    return url_for("portal.courses.show", code=code)


register_grantor(
    Grantor(
        kind="course",
        label=_l("Access to a course"),
        choices=choices,
        give=give,
        take_back=take_back,
        unused=unused,
        link=link,
        invitation=_l("Go to the course"),
        had=had,
    )
)
