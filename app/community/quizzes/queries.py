"""Quizzes on offer, a member's answers, and what all members answered together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.community.quizzes.models import Answer, Attempt, Question, Quiz
from app.community.quizzes.rules import State, state_of
from app.foundation.database import db

RECENT = 50


def state(quiz: Quiz, *, now: datetime) -> State:
    published = quiz.published_at is not None
    return state_of(published=published, opens_at=quiz.opens_at, closes_at=quiz.closes_at, now=now)


def quiz_by_code(code: str) -> Quiz | None:
    return db.session.scalar(sa.select(Quiz).where(Quiz.code == code))


def questions_of(quiz_id: int) -> Sequence[Question]:
    """In their order."""
    which = sa.select(Question).where(Question.quiz_id == quiz_id).order_by(Question.id)
    return db.session.scalars(which.execution_options(populate_existing=True)).all()


def attempt_of(quiz_id: int, member_id: int) -> Attempt | None:
    return db.session.scalar(sa.select(Attempt).where(Attempt.quiz_id == quiz_id, Attempt.member_id == member_id))


def answers_of(attempt_id: int) -> dict[int, int]:
    """Question → what was chosen."""
    which = sa.select(Answer.question_id, Answer.choice).where(Answer.attempt_id == attempt_id)
    return dict(db.session.execute(which).all())


def answered(quiz_id: int) -> bool:
    """Has anybody answered it?"""
    return db.session.scalar(sa.select(Attempt.id).where(Attempt.quiz_id == quiz_id).limit(1)) is not None


@dataclass(frozen=True, slots=True)
class Offered:
    """A published quiz as one member sees it. ``attempt`` is theirs."""

    quiz: Quiz
    attempt: Attempt | None
    questions: int


def offered(member_id: int, *, now: datetime) -> list[Offered]:
    """The latest quizzes that members may know of, by one query; those to come, too."""
    mine = sa.and_(Attempt.quiz_id == Quiz.id, Attempt.member_id == member_id)
    questions = sa.select(sa.func.count()).where(Question.quiz_id == Quiz.id).scalar_subquery()
    which = sa.select(Quiz, Attempt, questions).outerjoin(Attempt, mine).where(Quiz.published_at.is_not(None))
    rows = db.session.execute(which.order_by(Quiz.opens_at.desc(), Quiz.id.desc()).limit(RECENT))
    return [Offered(quiz, attempt, count) for quiz, attempt, count in rows]


# --- for colleagues -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listed:
    quiz: Quiz
    questions: int
    attempts: int


def all_quizzes() -> list[Listed]:
    """The latest first; a house has few of them."""
    questions = sa.select(sa.func.count()).where(Question.quiz_id == Quiz.id).scalar_subquery()
    attempts = sa.select(sa.func.count()).where(Attempt.quiz_id == Quiz.id).scalar_subquery()
    rows = db.session.execute(sa.select(Quiz, questions, attempts).order_by(Quiz.opens_at.desc(), Quiz.id.desc()))
    return [Listed(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Results:
    """``scores`` is how many members had so many answers right; ``chosen`` how often each choice of a question."""

    attempts: int
    points: int
    scores: Counter[int]
    chosen: dict[int, Counter[int]]


def results_of(quiz_id: int) -> Results:
    """By two queries, whatever the number of members."""
    totals = sa.select(Attempt.score, sa.func.count(), sa.func.sum(Attempt.points)).where(Attempt.quiz_id == quiz_id)
    scores: Counter[int] = Counter()
    points = 0
    for score, count, paid in db.session.execute(totals.group_by(Attempt.score)):
        scores[score] += count
        points += int(paid)
    chosen: dict[int, Counter[int]] = {}
    counts = (
        sa.select(Answer.question_id, Answer.choice, sa.func.count())
        .join(Question, Question.id == Answer.question_id)
        .where(Question.quiz_id == quiz_id)
        .group_by(Answer.question_id, Answer.choice)
    )
    for question_id, choice, count in db.session.execute(counts):
        chosen.setdefault(question_id, Counter())[choice] = count
    return Results(scores.total(), points, scores, chosen)
