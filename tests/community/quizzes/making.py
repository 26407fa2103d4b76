"""A quiz to answer, in a few words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.community.quizzes.actions import answer_quiz, create_quiz, publish_quiz, write_question
from app.community.quizzes.models import Quiz
from app.community.quizzes.queries import questions_of, quiz_by_code
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from tests.conftest import NOON

TEAS = [({"en": "Green"}, {"en": "Black"}, {"en": "White"}), ({"en": "70 °C"}, {"en": "95 °C"})]
RIGHT = [1, 0]


def make_quiz(code: str = "tea", *, needed: int = 0, published: bool = True, **fields: Any) -> Quiz:
    """Two questions about tea, open since noon for a week; the second choice of the first is right."""
    times = {"opens_at": NOON, "closes_at": NOON + timedelta(days=7)}
    with transaction():
        quiz = create_quiz(
            code=code, title={"en": "All about tea"}, intro={}, needed=needed, by=SYSTEM, now=NOON, **(times | fields)
        )
        for number, (choices, right) in enumerate(zip(TEAS, RIGHT, strict=True), start=1):
            write_question(
                quiz_id=quiz.id,
                question_id=None,
                text={"en": f"Tea question {number}?"},
                choices=choices,
                right=right,
                explanation={"en": f"Because of tea {number}."},
                by=SYSTEM,
                now=NOON,
            )
        if published:
            publish_quiz(quiz_id=quiz.id, by=SYSTEM, now=NOON)
    return quiz


def choices_of(quiz: Quiz, *places: int) -> dict[int, int]:
    return dict(zip([question.id for question in questions_of(quiz.id)], places, strict=True))


def answer(quiz: Quiz, member_id: int, *places: int, now=NOON, **fields: Any):
    """Hand in these choices, in a transaction of their own."""
    db.session.rollback()
    known = quiz_by_code(quiz.code)
    asked = {"quiz_id": known.id, "choices": choices_of(known, *places), "revision": known.revision} | fields
    with transaction():
        attempt = answer_quiz(member_id=member_id, now=now, **asked)
        return attempt.score, attempt.points
