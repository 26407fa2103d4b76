"""Members answer quizzes: what is on, one page to answer, one to see how it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.community.quizzes import queries
from app.community.quizzes.actions import answer_quiz
from app.community.quizzes.errors import AnswersMissing
from app.community.quizzes.rules import enough
from app.community.quizzes.statements import card_of, rule_of
from app.foundation import clock
from app.foundation.database import transaction
from app.foundation.errors import DomainError
from app.foundation.formats import moment, points
from app.foundation.languages import translated
from app.foundation.pages import page, seen
from app.foundation.permissions import Permission, requires
from app.identity.session import current_member
from app.loyalty.earning.queries import reward_at
from app.loyalty.earning.statements import cap_sentence

if TYPE_CHECKING:
    from app.community.quizzes.models import Attempt, Question, Quiz

quizzes = Blueprint("quizzes", __name__, url_prefix="/quizzes")


@quizzes.get("")
@requires(Permission.QUIZ_TAKE)
def index() -> Response:
    now = clock.now()
    cards = [card_of(each, now=now) for each in queries.offered(current_member().id, now=now)]
    return page(
        "community/quizzes/index.html",
        here=[card for card in cards if card.state == "open" and not card.done],
        coming=[card for card in reversed(cards) if card.state == "soon"],
        past=[card for card in cards if card.done or card.state == "over"],
    )


@quizzes.get("/<code>")
@requires(Permission.QUIZ_TAKE)
def show(code: str) -> ResponseReturnValue:
    """The questions; for who has answered, the result."""
    quiz, member_id, now = _published_or_404(code), current_member().id, clock.now()
    attempt = queries.attempt_of(quiz.id, member_id)
    if attempt is not None:
        return _result(quiz, attempt)
    return _form(quiz, chosen={}) if queries.state(quiz, now=now) == "open" else _closed(quiz)


@quizzes.post("/<code>/answers")
@requires(Permission.QUIZ_TAKE)
def create_answers(code: str) -> ResponseReturnValue:
    """A second click, or another tab, gets to the result of the first."""
    quiz, member_id = _published_or_404(code), current_member().id
    quiz_id, chosen = quiz.id, _chosen()
    try:
        with transaction():
            answer_quiz(
                quiz_id=quiz_id,
                member_id=member_id,
                choices=chosen,
                revision=_whole(request.form.get("revision")),
                now=clock.now(),
            )
    except AnswersMissing as error:
        return _form(_published_or_404(code), chosen=chosen, missing=error.missing, refused=str(error), status=422)
    except DomainError as error:
        flash(str(error), "warning")
    return seen(url_for(".show", code=code))


def _published_or_404(code: str) -> Quiz:
    quiz = queries.quiz_by_code(code)
    return quiz if quiz is not None and quiz.published_at is not None else abort(404)


def _chosen() -> dict[int, int]:
    """``q12=3`` → ``{12: 3}``; what makes no sense is no answer."""
    named = {name.removeprefix("q"): value for name, value in request.form.items() if name.startswith("q")}
    return {int(name): _whole(value) for name, value in named.items() if name.isdecimal() and len(name) < 19}


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else -1


# --- the pages ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its choices as the page shows them."""

    name: str
    text: str
    choices: list[dict[str, str]]
    chosen: int
    missing: bool


def _form(
    quiz: Quiz,
    *,
    chosen: Mapping[int, int],
    missing: frozenset[int] = frozenset(),
    refused: str = "",
    status: int = 200,
) -> Response:
    questions, rule = queries.questions_of(quiz.id), reward_at("quiz", clock.now())
    return page(
        "community/quizzes/answer.html",
        status=status,
        title=translated(quiz.title),
        intro=translated(quiz.intro),
        rule=rule_of(quiz.needed, len(questions), rule.points) if rule.points else "",
        cap=cap_sentence(rule.caps) if rule.points else "",
        until=moment(quiz.closes_at) if quiz.closes_at else "",
        questions=[_asked(each, chosen.get(each.id, -1), each.id in missing) for each in questions],
        refused=refused,
        revision=quiz.revision,
        answer_url=url_for(".create_answers", code=quiz.code),
    )


def _asked(question: Question, chosen: int, missing: bool) -> Asked:
    choices = [{"value": str(place), "title": translated(text)} for place, text in enumerate(question.choices)]
    return Asked(f"q{question.id}", translated(question.text), choices, chosen, missing)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A question, what the member chose, what was right, and why."""

    text: str
    chosen: str
    right: str
    correct: bool
    explanation: str


def _result(quiz: Quiz, attempt: Attempt) -> Response:
    questions = queries.questions_of(quiz.id)
    return page(
        "community/quizzes/result.html",
        title=translated(quiz.title),
        score=attempt.score,
        total=len(questions),
        points=attempt.points,
        headline=_headline(quiz, attempt, len(questions)),
        picture="party-popper" if attempt.points else "thinking",
        reviewed=_reviewed(questions, queries.answers_of(attempt.id)),
    )


def _headline(quiz: Quiz, attempt: Attempt, total: int) -> str:
    least = enough(quiz.needed, total)
    if attempt.points:
        return _("Well done: %(points)s points are yours.", points=points(attempt.points))
    if attempt.score >= least:
        return _("Well done! You have had all points that quizzes bring for now.")
    return _("Not quite this time: it takes %(least)s right answers.", least=least)


def _reviewed(questions: Sequence[Question], answers: Mapping[int, int]) -> list[Reviewed]:
    return [
        Reviewed(
            text=translated(each.text),
            chosen=translated(each.choices[answers[each.id]]),
            right=translated(each.choices[each.right]),
            correct=answers[each.id] == each.right,
            explanation=translated(each.explanation),
        )
        for each in questions
        if each.id in answers
    ]


def _closed(quiz: Quiz) -> Response:
    soon = queries.state(quiz, now=clock.now()) == "soon"
    return page(
        "community/quizzes/closed.html",
        title=translated(quiz.title),
        text=_("It opens at %(moment)s.", moment=moment(quiz.opens_at)) if soon else _("It is over."),
    )
