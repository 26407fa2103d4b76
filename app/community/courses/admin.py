"""Courses in the back office: writing them, publishing them, and how far members have come.

Colleagues see the courses of their own units; others are not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.community.courses import actions, queries
from app.community.courses.forms import NONE, CourseForm, LessonForm
from app.community.courses.statements import lessons_text, rule_of, tint_of
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formtools import by_language, refuse
from app.foundation.languages import translated
from app.foundation.markdown import to_html
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.identity.units.queries import unit_names, units_within
from app.loyalty.earning.queries import reward_at

if TYPE_CHECKING:
    from app.community.courses.models import Course, Lesson
    from app.community.courses.queries import Listed

courses = Blueprint("courses", __name__, url_prefix="/courses")


@courses.get("")
@requires(Permission.COURSE_READ)
def index() -> Response:
    units = unit_names()
    return page(
        "community/courses/office/index.html",
        rows=[Row.of(each, units) for each in queries.all_courses(unit_scope(current_staff()))],
        new_url=url_for(".new") if allowed(Permission.COURSE_WRITE) else None,
    )


@courses.get("/new")
@requires(Permission.COURSE_WRITE)
def new() -> Response:
    return _course_form(None, _form())


@courses.post("/new")
@requires(Permission.COURSE_WRITE)
def create() -> ResponseReturnValue:
    form, by = _form(), current_staff().actor
    if not form.validate_on_submit():
        return _course_form(None, form, status=422)
    values = _values(form)
    try:
        with transaction():
            course = actions.create_course(code=form.code.data, **values, by=by, now=clock.now())
            code = course.code
    except DomainError as error:
        refuse(form, error)
        return _course_form(None, form, status=422)
    flash(_("The course is there. Now its lessons: nobody sees it before you publish it."), "success")
    return seen(url_for(".show", code=code))


@courses.get("/<code>")
@requires(Permission.COURSE_READ)
def show(code: str) -> Response:
    course, may_write = _course_or_404(code), allowed(Permission.COURSE_WRITE)
    listed, lessons, readers = queries.listed(course.id), queries.lessons_of(course.id), queries.readers_of(course.id)
    rule, published = reward_at("course", clock.now()), course.published_at is not None
    return page(
        "community/courses/office/show.html",
        title=translated(course.title),
        summary=translated(course.summary),
        where=_unit_name(course.unit_id, unit_names()),
        badge=_badge(course),
        access=_access(course),
        picture=course.picture,
        tint=tint_of(course),
        rule=rule_of(len(lessons), rule.points) if lessons and rule.points else "",
        listed=listed,
        given=""
        if course.open_to_all
        else ngettext("%(num)s was given access", "%(num)s were given access", listed.given),
        lessons=[
            Shown.of(course, each, readers.get(each.id, 0), place, len(lessons), changeable=may_write)
            for place, each in enumerate(lessons)
        ],
        preview_url=url_for(".preview", code=code) if lessons else None,
        edit_url=url_for(".edit", code=code) if may_write else None,
        new_lesson_url=url_for(".new_lesson", code=code) if may_write else None,
        publish_url=url_for(".create_publication", code=code) if may_write and not published and lessons else None,
        withdraw_url=url_for(".create_withdrawal", code=code) if may_write and published else None,
    )


@courses.get("/<code>/preview")
@requires(Permission.COURSE_READ)
def preview(code: str) -> Response:
    """The course and all its lessons as members read them."""
    course = _course_or_404(code)
    lessons = queries.lessons_of(course.id)
    return page(
        "community/courses/office/preview.html",
        title=translated(course.title),
        summary=translated(course.summary),
        description=to_html(translated(course.description), deeper=2),
        picture=course.picture,
        tint=tint_of(course),
        lessons_text=lessons_text(len(lessons)),
        lessons=[(translated(each.title), to_html(translated(each.body), deeper=2)) for each in lessons],
        back_url=url_for(".show", code=code),
    )


@courses.get("/<code>/edit")
@requires(Permission.COURSE_WRITE)
def edit(code: str) -> Response:
    course = _course_or_404(code)
    unit = next((unit.code for unit in units_within(None) if unit.id == course.unit_id), NONE)
    return _course_form(
        course,
        _form(
            code=course.code,
            unit=unit,
            picture=course.picture,
            open_to_all=course.open_to_all,
            **by_language("title", course.title),
            **by_language("summary", course.summary),
            **by_language("description", course.description),
        ),
    )


@courses.post("/<code>/edit")
@requires(Permission.COURSE_WRITE)
def update(code: str) -> ResponseReturnValue:
    course, form, by = _course_or_404(code), _form(), current_staff().actor
    form.code.data, course_id = course.code, course.id
    if not form.validate_on_submit():
        return _course_form(course, form, status=422)
    values = _values(form)
    try:
        with transaction():
            actions.update_course(course_id=course_id, **values, by=by, now=clock.now())
    except DomainError as error:
        refuse(form, error)
        return _course_form(_course_or_404(code), form, status=422)
    flash(_("Saved."), "success")
    return seen(url_for(".show", code=code))


@courses.post("/<code>/publication")
@requires(Permission.COURSE_WRITE)
def create_publication(code: str) -> ResponseReturnValue:
    course_id, by = _course_or_404(code).id, current_staff().actor
    try:
        with transaction():
            actions.publish_course(course_id=course_id, by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("The course is published."), "success")
    return seen(url_for(".show", code=code))


@courses.post("/<code>/withdrawal")
@requires(Permission.COURSE_WRITE)
def create_withdrawal(code: str) -> ResponseReturnValue:
    course_id, by = _course_or_404(code).id, current_staff().actor
    with transaction():
        actions.withdraw_course(course_id=course_id, by=by, now=clock.now())
    flash(_("The course is a draft again; nobody can read it."), "success")
    return seen(url_for(".show", code=code))


# --- lessons --------------------------------------------------------------------------------


@courses.get("/<code>/lessons/new")
@requires(Permission.COURSE_WRITE)
def new_lesson(code: str) -> Response:
    return _lesson_form(_course_or_404(code), None, LessonForm())


@courses.post("/<code>/lessons/new")
@requires(Permission.COURSE_WRITE)
def create_lesson(code: str) -> ResponseReturnValue:
    return _write_lesson(code, None)


@courses.get("/<code>/lessons/<int:lesson_id>")
@requires(Permission.COURSE_WRITE)
def edit_lesson(code: str, lesson_id: int) -> Response:
    course = _course_or_404(code)
    lesson = _lesson_or_404(course, lesson_id)
    form = LessonForm(data={**by_language("title", lesson.title), **by_language("body", lesson.body)})
    return _lesson_form(course, lesson_id, form)


@courses.post("/<code>/lessons/<int:lesson_id>")
@requires(Permission.COURSE_WRITE)
def update_lesson(code: str, lesson_id: int) -> ResponseReturnValue:
    _lesson_or_404(_course_or_404(code), lesson_id)
    return _write_lesson(code, lesson_id)


@courses.post("/<code>/lessons/<int:lesson_id>/place")
@requires(Permission.COURSE_WRITE)
def update_place(code: str, lesson_id: int) -> ResponseReturnValue:
    """``to`` is ``up`` or ``down``: one place."""
    course_id, by, to = _course_or_404(code).id, current_staff().actor, request.form.get("to")
    if to not in ("up", "down"):
        abort(422)
    with transaction():
        actions.move_lesson(course_id=course_id, lesson_id=lesson_id, down=to == "down", by=by, now=clock.now())
    return seen(url_for(".show", code=code))


@courses.post("/<code>/lessons/<int:lesson_id>/removal")
@requires(Permission.COURSE_WRITE)
def destroy_lesson(code: str, lesson_id: int) -> ResponseReturnValue:
    course_id, by = _course_or_404(code).id, current_staff().actor
    if lesson_id not in {lesson.id for lesson in queries.lessons_of(course_id)}:
        flash(_("This lesson is not there any more."), "info")
        return seen(url_for(".show", code=code))
    try:
        with transaction():
            actions.remove_lesson(course_id=course_id, lesson_id=lesson_id, by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("The lesson is removed."), "success")
    return seen(url_for(".show", code=code))


def _write_lesson(code: str, lesson_id: int | None) -> ResponseReturnValue:
    course, form, by = _course_or_404(code), LessonForm(), current_staff().actor
    course_id = course.id
    if not form.validate_on_submit():
        return _lesson_form(course, lesson_id, form, status=422)
    texts = {"title": form.texts("title"), "body": form.texts("body")}
    try:
        with transaction():
            actions.write_lesson(course_id=course_id, lesson_id=lesson_id, **texts, by=by, now=clock.now())
    except DomainError as error:
        refuse(form, error)
        return _lesson_form(_course_or_404(code), lesson_id, form, status=422)
    flash(_("Saved."), "success")
    return seen(url_for(".show", code=code))


# --- what they are made of ------------------------------------------------------------------


def _course_or_404(code: str) -> Course:
    return queries.office_course(code, unit_scope(current_staff())) or abort(404)


def _lesson_or_404(course: Course, lesson_id: int) -> Lesson:
    return next((each for each in queries.lessons_of(course.id) if each.id == lesson_id), None) or abort(404)


def _form(**values: Any) -> CourseForm:
    form = CourseForm(**values)
    scope = unit_scope(current_staff())
    anywhere = {NONE: _("The whole programme")} if scope is None else {}
    form.offer_units({**anywhere, **{unit.code: translated(unit.name) for unit in units_within(scope)}})
    return form


def _values(form: CourseForm) -> dict[str, Any]:
    units = {unit.code: unit.id for unit in units_within(unit_scope(current_staff()))}
    return {
        "unit_id": units.get(form.unit.data),
        "title": form.texts("title"),
        "summary": form.texts("summary"),
        "description": form.texts("description"),
        "picture": form.picture.data,
        "open_to_all": form.open_to_all.data,
    }


def _course_form(course: Course | None, form: CourseForm, *, status: int = 200) -> Response:
    return page(
        "community/courses/office/course.html",
        status=status,
        title=translated(course.title) if course else _("New course"),
        form=form,
        fixed=course is not None,
        action_url=url_for(".update", code=course.code) if course else url_for(".create"),
        back_url=url_for(".show", code=course.code) if course else url_for(".index"),
        back_label=translated(course.title) if course else _("Courses"),
    )


def _lesson_form(course: Course, lesson_id: int | None, form: LessonForm, *, status: int = 200) -> Response:
    action_url = (
        url_for(".update_lesson", code=course.code, lesson_id=lesson_id)
        if lesson_id
        else url_for(".create_lesson", code=course.code)
    )
    return page(
        "community/courses/office/lesson.html",
        status=status,
        title=_("Lesson") if lesson_id else _("New lesson"),
        form=form,
        action_url=action_url,
        back_url=url_for(".show", code=course.code),
        back_label=translated(course.title),
    )


def _badge(course: Course) -> tuple[str, str]:
    return (_("Draft"), "neutral") if course.published_at is None else (_("Published"), "brand")


def _access(course: Course) -> str:
    return _("Free for every member") if course.open_to_all else _("For members who were given access")


def _unit_name(unit_id: int | None, names: Mapping[int, Mapping[str, str]]) -> str:
    return _("The whole programme") if unit_id is None else translated(names.get(unit_id, {}))


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    code: str
    url: str
    picture: str
    unit: str
    access: str
    state: str
    tone: str
    lessons: int
    begun: int
    finished: int

    @classmethod
    def of(cls, listed: Listed, units: Mapping[int, Mapping[str, str]]) -> Row:
        course = listed.course
        state, tone = _badge(course)
        return cls(
            title=translated(course.title),
            code=course.code,
            url=url_for(".show", code=course.code),
            picture=course.picture,
            unit=_unit_name(course.unit_id, units),
            access=_access(course),
            state=state,
            tone=tone,
            lessons=listed.lessons,
            begun=listed.begun,
            finished=listed.finished,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A lesson with how many members have read it; what may be done with it has an address."""

    title: str
    readers: int
    edit_url: str | None
    remove_url: str | None
    move_url: str | None
    first: bool
    last: bool

    @classmethod
    def of(cls, course: Course, lesson: Lesson, readers: int, place: int, total: int, *, changeable: bool) -> Shown:
        where: dict[str, Any] = {"code": course.code, "lesson_id": lesson.id}
        return cls(
            title=translated(lesson.title),
            readers=readers,
            edit_url=url_for(".edit_lesson", **where) if changeable else None,
            remove_url=url_for(".destroy_lesson", **where) if changeable and not readers else None,
            move_url=url_for(".update_place", **where) if changeable and total > 1 else None,
            first=place == 0,
            last=place == total - 1,
        )
