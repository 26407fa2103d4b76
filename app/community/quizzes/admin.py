"""Quizzes in the back office: writing them, publishing them, and how members did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from app.community.quizzes import actions, queries
from app.community.quizzes.forms import QuestionForm, QuizForm
from app.community.quizzes.rules import enough
from app.community.quizzes.statements import STATE_LABELS, STATE_TONES, rule_of
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import moment, points
from app.foundation.formtools import by_language, programme_moment, refuse
from app.foundation.languages import translated
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, allowed, requires
from app.identity.session import current_staff
from app.loyalty.earning.queries import reward_at

if TYPE_CHECKING:
    from app.community.quizzes.models import Question, Quiz
    from app.community.quizzes.queries import Listed, Results

quizzes = Blueprint("quizzes", __name__, url_prefix="/quizzes")


@quizzes.get("")
@requires(Permission.QUIZ_READ)
def index() -> Response:
    now = clock.now()
    return page(
        "community/quizzes/office/index.html",
        rows=[Row.of(each, now) for each in queries.all_quizzes()],
        new_url=url_for(".new") if allowed(Permission.QUIZ_WRITE) else None,
    )


@quizzes.get("/new")
@requires(Permission.QUIZ_WRITE)
def new() -> Response:
    return _quiz_form(None, QuizForm(opens_at=_local(clock.now()).replace(second=0, microsecond=0)))


@quizzes.post("/new")
@requires(Permission.QUIZ_WRITE)
def create() -> ResponseReturnValue:
    form, by = QuizForm(), current_staff().actor
    if not form.validate_on_submit():
        return _quiz_form(None, form, status=422)
    try:
        with transaction():
            quiz = actions.create_quiz(code=form.code.data, **_values(form), by=by, now=clock.now())
            code = quiz.code
    except DomainError as error:
        refuse(form, error)
        return _quiz_form(None, form, status=422)
    flash(_("The quiz is there. Now its questions: nobody sees it before you publish it."), "success")
    return seen(url_for(".show", code=code))


@quizzes.get("/<code>")
@requires(Permission.QUIZ_READ)
def show(code: str) -> Response:
    quiz, now, may_write = _quiz_or_404(code), clock.now(), allowed(Permission.QUIZ_WRITE)
    state, results = queries.state(quiz, now=now), queries.results_of(quiz.id)
    questions, rule = queries.questions_of(quiz.id), reward_at("quiz", now)
    open_to_changes = may_write and not results.attempts
    return page(
        "community/quizzes/office/show.html",
        code=quiz.code,
        title=translated(quiz.title),
        intro=translated(quiz.intro),
        badge=(STATE_LABELS[state], STATE_TONES[state]),
        times=_times(quiz),
        rule=rule_of(quiz.needed, len(questions), rule.points) if questions else "",
        results=_results(results, questions, enough(quiz.needed, len(questions))),
        questions=[Shown.of(quiz, each, results, changeable=open_to_changes) for each in questions],
        edit_url=url_for(".edit", code=code) if open_to_changes else None,
        new_question_url=url_for(".new_question", code=code) if open_to_changes else None,
        publish_url=url_for(".create_publication", code=code) if may_write and state == "draft" else None,
        withdraw_url=url_for(".create_withdrawal", code=code) if may_write and state in ("soon", "open") else None,
        answered=bool(results.attempts),
    )


@quizzes.get("/<code>/edit")
@requires(Permission.QUIZ_WRITE)
def edit(code: str) -> Response:
    quiz = _quiz_or_404(code)
    return _quiz_form(
        quiz,
        QuizForm(
            code=quiz.code,
            opens_at=_local(quiz.opens_at),
            closes_at=_local(quiz.closes_at) if quiz.closes_at else None,
            needed=quiz.needed,
            **by_language("title", quiz.title),
            **by_language("intro", quiz.intro),
        ),
    )


@quizzes.post("/<code>/edit")
@requires(Permission.QUIZ_WRITE)
def update(code: str) -> ResponseReturnValue:
    quiz, form, by = _quiz_or_404(code), QuizForm(), current_staff().actor
    form.code.data, quiz_id = quiz.code, quiz.id
    if not form.validate_on_submit():
        return _quiz_form(quiz, form, status=422)
    try:
        with transaction():
            actions.update_quiz(quiz_id=quiz_id, **_values(form), by=by, now=clock.now())
    except DomainError as error:
        refuse(form, error)
        return _quiz_form(_quiz_or_404(code), form, status=422)
    flash(_("Saved."), "success")
    return seen(url_for(".show", code=code))


@quizzes.post("/<code>/publication")
@requires(Permission.QUIZ_WRITE)
def create_publication(code: str) -> ResponseReturnValue:
    quiz_id, by = _quiz_or_404(code).id, current_staff().actor
    try:
        with transaction():
            actions.publish_quiz(quiz_id=quiz_id, by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("The quiz is published."), "success")
    return seen(url_for(".show", code=code))


@quizzes.post("/<code>/withdrawal")
@requires(Permission.QUIZ_WRITE)
def create_withdrawal(code: str) -> ResponseReturnValue:
    quiz_id, by = _quiz_or_404(code).id, current_staff().actor
    with transaction():
        quiz = actions.withdraw_quiz(quiz_id=quiz_id, by=by, now=clock.now())
        ended = quiz.published_at is not None
    flash(_("The quiz has ended.") if ended else _("The quiz is a draft again; members no longer see it."), "success")
    return seen(url_for(".show", code=code))


# --- questions ------------------------------------------------------------------------------


@quizzes.get("/<code>/questions/new")
@requires(Permission.QUIZ_WRITE)
def new_question(code: str) -> Response:
    return _question_form(_quiz_or_404(code), None, QuestionForm(right=0))


@quizzes.post("/<code>/questions/new")
@requires(Permission.QUIZ_WRITE)
def create_question(code: str) -> ResponseReturnValue:
    return _write_question(code, None)


@quizzes.get("/<code>/questions/<int:question_id>")
@requires(Permission.QUIZ_WRITE)
def edit_question(code: str, question_id: int) -> Response:
    quiz = _quiz_or_404(code)
    question = _question_or_404(quiz, question_id)
    values: dict[str, Any] = {
        **by_language("text", question.text),
        **by_language("explanation", question.explanation),
        "choices": [by_language("text", choice) for choice in question.choices],
        "right": question.right,
    }
    return _question_form(quiz, question_id, QuestionForm(data=values))


@quizzes.post("/<code>/questions/<int:question_id>")
@requires(Permission.QUIZ_WRITE)
def update_question(code: str, question_id: int) -> ResponseReturnValue:
    _question_or_404(_quiz_or_404(code), question_id)
    return _write_question(code, question_id)


@quizzes.post("/<code>/questions/<int:question_id>/removal")
@requires(Permission.QUIZ_WRITE)
def destroy_question(code: str, question_id: int) -> ResponseReturnValue:
    quiz_id, by = _quiz_or_404(code).id, current_staff().actor
    try:
        with transaction():
            actions.remove_question(quiz_id=quiz_id, question_id=question_id, by=by, now=clock.now())
    except DomainError as error:
        flash(str(error), "danger")
    else:
        flash(_("The question is removed."), "success")
    return seen(url_for(".show", code=code))


def _write_question(code: str, question_id: int | None) -> ResponseReturnValue:
    quiz, form, by = _quiz_or_404(code), QuestionForm(), current_staff().actor
    quiz_id = quiz.id
    if not form.validate_on_submit():
        return _question_form(quiz, question_id, form, status=422)
    choices, right = form.written()
    try:
        with transaction():
            actions.write_question(
                quiz_id=quiz_id,
                question_id=question_id,
                text=form.texts("text"),
                choices=choices,
                right=right,
                explanation=form.texts("explanation"),
                by=by,
                now=clock.now(),
            )
    except DomainError as error:
        refuse(form, error)
        return _question_form(_quiz_or_404(code), question_id, form, status=422)
    flash(_("Saved."), "success")
    return seen(url_for(".show", code=code))


# --- what they are made of ------------------------------------------------------------------


def _quiz_or_404(code: str) -> Quiz:
    return queries.quiz_by_code(code) or abort(404)


def _question_or_404(quiz: Quiz, question_id: int) -> Question:
    return next((each for each in queries.questions_of(quiz.id) if each.id == question_id), None) or abort(404)


def _local(at: datetime) -> datetime:
    return at.astimezone(clock.programme_zone()).replace(tzinfo=None)


def _values(form: QuizForm) -> dict[str, Any]:
    return {
        "title": form.texts("title"),
        "intro": form.texts("intro"),
        "opens_at": programme_moment(form.opens_at.data),
        "closes_at": programme_moment(form.closes_at.data) if form.closes_at.data else None,
        "needed": form.needed.data,
    }


def _quiz_form(quiz: Quiz | None, form: QuizForm, *, status: int = 200) -> Response:
    return page(
        "community/quizzes/office/quiz.html",
        status=status,
        title=translated(quiz.title) if quiz else _("New quiz"),
        form=form,
        fixed=quiz is not None,
        action_url=url_for(".update", code=quiz.code) if quiz else url_for(".create"),
        back_url=url_for(".show", code=quiz.code) if quiz else url_for(".index"),
        back_label=translated(quiz.title) if quiz else _("Quizzes"),
    )


def _question_form(quiz: Quiz, question_id: int | None, form: QuestionForm, *, status: int = 200) -> Response:
    action_url = (
        url_for(".update_question", code=quiz.code, question_id=question_id)
        if question_id
        else url_for(".create_question", code=quiz.code)
    )
    return page(
        "community/quizzes/office/question.html",
        status=status,
        title=_("Question") if question_id else _("New question"),
        form=form,
        action_url=action_url,
        back_url=url_for(".show", code=quiz.code),
        back_label=translated(quiz.title),
    )


def _times(quiz: Quiz) -> str:
    if quiz.closes_at:
        return _("%(opens)s to %(closes)s", opens=moment(quiz.opens_at), closes=moment(quiz.closes_at))
    return _("From %(moment)s", moment=moment(quiz.opens_at))


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    code: str
    url: str
    times: str
    state: str
    tone: str
    questions: int
    attempts: int

    @classmethod
    def of(cls, listed: Listed, now: datetime) -> Row:
        quiz = listed.quiz
        state = queries.state(quiz, now=now)
        return cls(
            title=translated(quiz.title),
            code=quiz.code,
            url=url_for(".show", code=quiz.code),
            times=_times(quiz),
            state=str(STATE_LABELS[state]),
            tone=STATE_TONES[state],
            questions=listed.questions,
            attempts=listed.attempts,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """A question with how often each of its choices was taken."""

    text: str
    explanation: str
    choices: list[tuple[str, bool, int]]
    total: int
    edit_url: str | None
    remove_url: str | None

    @classmethod
    def of(cls, quiz: Quiz, question: Question, results: Results, *, changeable: bool) -> Shown:
        chosen = results.chosen.get(question.id, Counter())
        where: dict[str, Any] = {"code": quiz.code, "question_id": question.id}
        return cls(
            text=translated(question.text),
            explanation=translated(question.explanation),
            choices=[
                (translated(text), place == question.right, chosen[place])
                for place, text in enumerate(question.choices)
            ],
            total=chosen.total(),
            edit_url=url_for(".edit_question", **where) if changeable else None,
            remove_url=url_for(".destroy_question", **where) if changeable else None,
        )


def _results(results: Results, questions: Any, least: int) -> dict[str, Any]:
    """``bars`` is how many members had so many answers right."""
    passed = sum(count for score, count in results.scores.items() if score >= least)
    return {
        "attempts": results.attempts,
        "passed": ngettext("%(num)s had enough right", "%(num)s had enough right", passed),
        "points": points(results.points),
        "bars": [
            (str(score), results.scores[score], str(results.scores[score])) for score in range(len(questions) + 1)
        ],
    }
