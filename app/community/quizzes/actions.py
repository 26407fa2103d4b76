"""Answering a quiz, once; and making one, as long as nobody has answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.community.quizzes import queries
from app.community.quizzes.errors import AlreadyAnswered, AnswersMissing, NotOpen, QuizChanged
from app.community.quizzes.models import Answer, Attempt, Question, Quiz
from app.community.quizzes.rules import FEWEST_CHOICES, MOST_CHOICES, MOST_QUESTIONS, enough
from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.loyalty.earning.actions import reward

CODE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
Texts = Mapping[str, str]

audit.describe(
    "quiz",
    _l("Quiz"),
    {
        "quiz.create": _l("Quiz created"),
        "quiz.update": _l("Quiz changed"),
        "quiz.question": _l("Question written"),
        "quiz.question_removed": _l("Question removed"),
        "quiz.publish": _l("Quiz published"),
        "quiz.withdraw": _l("Quiz taken back"),
    },
)


# --- answering ------------------------------------------------------------------------------


def answer_quiz(*, quiz_id: int, member_id: int, choices: Mapping[int, int], revision: int, now: datetime) -> Attempt:
    """Hand in a member's answers, question → choice, and give the points that they bring. There is one try.

    A second try, or a second click at the same moment, changes nothing and gets the first result. ``revision`` is that
    of the questions which the member read. Raises ``NotOpen``, ``QuizChanged`` or ``AnswersMissing``, and then nothing
    is written.
    """
    row = {"quiz_id": quiz_id, "member_id": member_id, "score": 0, "points": 0, "at": now}
    if not insert_new(Attempt, [row], unless=["member_id", "quiz_id"], returning=[Attempt.id]):
        return _attempt(quiz_id, member_id)
    # Whoever edits locks the quiz, which waits for this attempt: what is read from here on stays as it is.
    quiz = db.session.scalars(_which(quiz_id).execution_options(populate_existing=True)).one()
    if queries.state(quiz, now=now) != "open":
        raise NotOpen
    if quiz.revision != revision:
        raise QuizChanged
    questions = queries.questions_of(quiz_id)
    _refuse_missing(questions, choices)
    attempt = _attempt(quiz_id, member_id)
    db.session.add_all(
        Answer(attempt_id=attempt.id, question_id=each.id, choice=choices[each.id]) for each in questions
    )
    attempt.score = sum(choices[each.id] == each.right for each in questions)
    if attempt.score >= enough(quiz.needed, len(questions)):
        about = translated(quiz.title)
        granted = reward(member_id=member_id, kind="quiz", subject=f"quiz:{quiz.code}", about=about, now=now)
        attempt.points = int(granted.points)
    return attempt


def _refuse_missing(questions: Sequence[Question], choices: Mapping[int, int]) -> None:
    missing = {each.id for each in questions if not 0 <= choices.get(each.id, -1) < len(each.choices)}
    if missing:
        raise AnswersMissing(frozenset(missing))


def _attempt(quiz_id: int, member_id: int) -> Attempt:
    attempt = queries.attempt_of(quiz_id, member_id)
    if attempt is None:
        raise LookupError(f"Member {member_id} has no attempt at quiz {quiz_id}.")
    return attempt


# --- making one -----------------------------------------------------------------------------


def create_quiz(
    *,
    code: str,
    title: Texts,
    intro: Texts,
    opens_at: datetime,
    closes_at: datetime | None,
    needed: int,
    by: Actor,
    now: datetime,
) -> Quiz:
    """A quiz without questions, which nobody sees yet. Raises ``InvalidInput``."""
    if not CODE.fullmatch(code):
        raise InvalidInput(_("A code has small letters, digits and hyphens, 40 at most."))
    values = _checked(title=title, intro=intro, opens_at=opens_at, closes_at=closes_at, needed=needed)
    if not insert_new(Quiz, [{"code": code, "revision": 1, **values}], unless=["code"], returning=[Quiz.id]):
        raise InvalidInput(_("Another quiz has this code already."))
    quiz = db.session.scalars(sa.select(Quiz).where(Quiz.code == code)).one()
    _record("quiz.create", quiz, by=by, now=now, after=_facts(quiz))
    return quiz


def update_quiz(
    *,
    quiz_id: int,
    title: Texts,
    intro: Texts,
    opens_at: datetime,
    closes_at: datetime | None,
    needed: int,
    by: Actor,
    now: datetime,
) -> Quiz:
    """Raises ``InvalidInput``, ``AlreadyAnswered``."""
    quiz = _to_be_changed(quiz_id)
    before = _facts(quiz)
    values = _checked(title=title, intro=intro, opens_at=opens_at, closes_at=closes_at, needed=needed)
    for name, value in values.items():
        setattr(quiz, name, value)
    _refuse_unanswerable(quiz)
    quiz.revision += 1
    _record("quiz.update", quiz, by=by, now=now, before=before, after=_facts(quiz))
    return quiz


def write_question(
    *,
    quiz_id: int,
    question_id: int | None,
    text: Texts,
    choices: Sequence[Texts],
    right: int,
    explanation: Texts,
    by: Actor,
    now: datetime,
) -> Question:
    """A new question, at the end, or the one with this id anew. Raises ``InvalidInput``, ``AlreadyAnswered``."""
    quiz = _to_be_changed(quiz_id)
    kept = [_texts(choice) for choice in choices]
    if not _texts(text):
        raise InvalidInput(_("A question needs a text in one language at least."))
    if not FEWEST_CHOICES <= len(kept) <= MOST_CHOICES or not all(kept):
        raise InvalidInput(
            _("A question has %(least)s to %(most)s answers to choose from.", least=FEWEST_CHOICES, most=MOST_CHOICES)
        )
    if not 0 <= right < len(kept):
        raise InvalidInput(_("Please mark the answer that is right."))
    there = queries.questions_of(quiz_id)
    question = next((each for each in there if each.id == question_id), None)
    if question is None:
        if len(there) >= MOST_QUESTIONS:
            raise InvalidInput(_("A quiz has at most %(most)s questions.", most=MOST_QUESTIONS))
        question = Question(quiz_id=quiz_id)
        db.session.add(question)
    before = question.text or {}
    question.text, question.choices, question.right = _texts(text), kept, right
    question.explanation = _texts(explanation)
    quiz.revision += 1
    _record("quiz.question", quiz, by=by, now=now, before={"question": before}, after={"question": question.text})
    return question


def remove_question(*, quiz_id: int, question_id: int, by: Actor, now: datetime) -> None:
    """Raises ``InvalidInput``, ``AlreadyAnswered``. One that is gone already stays gone."""
    quiz = _to_be_changed(quiz_id)
    question = next((each for each in queries.questions_of(quiz_id) if each.id == question_id), None)
    if question is None:
        return
    text = question.text
    db.session.delete(question)
    db.session.flush()
    _refuse_unanswerable(quiz)
    quiz.revision += 1
    _record("quiz.question_removed", quiz, by=by, now=now, before={"question": text}, after={})


def publish_quiz(*, quiz_id: int, by: Actor, now: datetime) -> Quiz:
    """Members see it, and can answer from when it opens. Doing it again changes nothing. Raises ``InvalidInput``."""
    quiz = _locked(quiz_id)
    if quiz.published_at is None:
        quiz.published_at = now
        _refuse_unanswerable(quiz)
        _record("quiz.publish", quiz, by=by, now=now, before={"published": False}, after={"published": True})
    return quiz


def withdraw_quiz(*, quiz_id: int, by: Actor, now: datetime) -> Quiz:
    """Back to a draft; once members have answered, it ends now instead. Doing it again changes nothing."""
    quiz = _locked(quiz_id)
    before = _facts(quiz)
    if not queries.answered(quiz_id):
        quiz.published_at = None
    elif quiz.closes_at is None or quiz.closes_at > now:
        quiz.closes_at = max(now, quiz.opens_at + timedelta(seconds=1))  # A quiz was open for a moment at least.
    _record("quiz.withdraw", quiz, by=by, now=now, before=before, after=_facts(quiz))
    return quiz


# --- what they share ------------------------------------------------------------------------


def _which(quiz_id: int) -> sa.Select[Quiz]:
    return sa.select(Quiz).where(Quiz.id == quiz_id)


def _locked(quiz_id: int) -> Quiz:
    return db.session.scalars(lock(LockOrder.EARNING, _which(quiz_id))).one()


def _to_be_changed(quiz_id: int) -> Quiz:
    quiz = _locked(quiz_id)
    if queries.answered(quiz_id):
        raise AlreadyAnswered
    return quiz


def _checked(
    *, title: Texts, intro: Texts, opens_at: datetime, closes_at: datetime | None, needed: int
) -> dict[str, object]:
    if not _texts(title):
        raise InvalidInput(_("A quiz needs a title in one language at least."))
    if closes_at is not None and closes_at <= opens_at:
        raise InvalidInput(_("A quiz cannot close before it opens."))
    if not 0 <= needed <= MOST_QUESTIONS:
        raise InvalidInput(_("Between 0 and %(most)s right answers can be asked for.", most=MOST_QUESTIONS))
    times = {"opens_at": opens_at, "closes_at": closes_at}
    return {"title": _texts(title), "intro": _texts(intro), "needed": needed, **times}


def _refuse_unanswerable(quiz: Quiz) -> None:
    """What members see has questions, and no more right answers are asked for than there are."""
    if quiz.published_at is None:
        return
    questions = len(queries.questions_of(quiz.id))
    if not questions:
        raise InvalidInput(_("A quiz needs a question before members see it."))
    if quiz.needed > questions:
        raise InvalidInput(_("More right answers are asked for than there are questions."))


def _texts(texts: Texts) -> dict[str, str]:
    return {locale: text.strip() for locale, text in texts.items() if text and text.strip()}


def _facts(quiz: Quiz) -> dict[str, object]:
    return {
        "title": quiz.title,
        "intro": quiz.intro,
        "opens_at": quiz.opens_at.isoformat(),
        "closes_at": quiz.closes_at.isoformat() if quiz.closes_at else None,
        "needed": quiz.needed,
        "published": quiz.published_at is not None,
    }


def _record(
    action: str,
    quiz: Quiz,
    *,
    by: Actor,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    subject = ("quiz", quiz.code, translated(quiz.title))
    audit.record(action, subject=subject, by=by, now=now, before=before, after=after)
