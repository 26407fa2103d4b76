"""Ten clicks on "Hand in", and an editor who is a moment too late. PostgreSQL only: SQLite has one writer anyway."""

from __future__ import annotations

import sqlalchemy as sa

from app.community.quizzes.actions import answer_quiz, write_question
from app.community.quizzes.errors import AlreadyAnswered, QuizChanged
from app.community.quizzes.models import Answer, Attempt
from app.community.quizzes.queries import questions_of, quiz_by_code
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.loyalty.ledger.queries import standing
from tests.community.quizzes.making import choices_of, make_quiz
from tests.conftest import NOON
from tests.factories import make_member
from tests.racing import ON_POSTGRESQL, at_once

pytestmark = ON_POSTGRESQL


def rows(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_ten_clicks_hand_in_once(app):
    alice, quiz = make_member(), make_quiz()
    right, wrong = choices_of(quiz, 1, 0), choices_of(quiz, 0, 1)
    asked = {"quiz_id": quiz.id, "member_id": alice, "revision": quiz.revision}

    def hand_in(choices):
        with transaction():
            return answer_quiz(**asked, choices=choices, now=NOON).score

    scores = at_once(app, [lambda place=place: hand_in(wrong if place % 2 else right) for place in range(10)])
    assert len(set(scores)) == 1
    assert (rows(Attempt), rows(Answer)) == (1, 2)
    assert standing(alice, now=NOON).available == Points(10 if scores[0] == 2 else 0)


def test_nobody_answers_questions_that_change_under_their_hands(app):
    """Whoever comes first decides: either the text stays as it was answered, or the answer is refused."""
    quiz = make_quiz()
    question, choices = questions_of(quiz.id)[0], choices_of(quiz, 1, 0)
    asked = {"quiz_id": quiz.id, "revision": quiz.revision, "choices": choices, "now": NOON}
    members = [make_member() for _ in range(4)]
    words = {"question_id": question.id, "choices": question.choices, "right": 0, "explanation": {}}

    def hand_in(member):
        with transaction():
            return answer_quiz(**asked, member_id=member).score

    def edit():
        with transaction():
            write_question(quiz_id=quiz.id, text={"en": "Other?"}, **words, by=SYSTEM, now=NOON)
            return "edited"

    answers = at_once(app, [edit, *(lambda member=member: hand_in(member) for member in members)])
    db.session.rollback()
    edited = questions_of(quiz_by_code("tea").id)[0].text == {"en": "Other?"}
    if edited:
        assert all(isinstance(each, QuizChanged) for each in answers[1:])
        assert rows(Attempt) == 0
    else:
        assert isinstance(answers[0], AlreadyAnswered)
        assert answers[1:] == [2, 2, 2, 2]
