"""One try; points for who knows enough; nothing for asking twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.community.quizzes.actions import (
    publish_quiz,
    remove_question,
    update_quiz,
    withdraw_quiz,
    write_question,
)
from app.community.quizzes.errors import AlreadyAnswered, AnswersMissing, NotOpen, QuizChanged
from app.community.quizzes.models import Answer, Attempt
from app.community.quizzes.queries import questions_of, quiz_by_code, results_of
from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.foundation.terms import change
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.queries import standing
from tests.community.quizzes.making import answer, make_quiz
from tests.conftest import NOON
from tests.factories import make_member

WEEK = timedelta(days=7)


@pytest.fixture
def alice(app):
    return make_member()


def points(member):
    db.session.rollback()
    return standing(member, now=NOON).available


def rows(model):
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def test_all_right_brings_ten_points(alice):
    assert answer(make_quiz(), alice, 1, 0) == (2, 10)
    assert points(alice) == Points(10)


def test_not_all_right_brings_nothing_but_is_kept(alice):
    assert answer(make_quiz(), alice, 1, 1) == (1, 0)
    assert points(alice) == Points(0)
    assert rows(Answer) == 2
    assert rows(Rewarded) == 0


def test_where_one_is_enough_one_is_enough(alice):
    assert answer(make_quiz(needed=1), alice, 1, 1) == (1, 10)


def test_a_second_try_changes_nothing(alice):
    quiz = make_quiz()
    assert answer(quiz, alice, 0, 0) == (1, 0)
    assert answer(quiz, alice, 1, 0) == (1, 0)
    assert points(alice) == Points(0)
    assert (rows(Attempt), rows(Answer)) == (1, 2)


def test_what_is_missing_is_named_and_nothing_is_handed_in(alice):
    quiz = make_quiz()
    first, second = (question.id for question in questions_of(quiz.id))
    for choices in ({first: 1}, {first: 1, second: 7}, {first: 1, second: -1}):
        with pytest.raises(AnswersMissing) as refused:
            answer(quiz, alice, 1, 0, choices=choices)
        assert refused.value.missing == {second}
    assert rows(Attempt) == 0
    assert answer(quiz, alice, 1, 0) == (2, 10)


@pytest.mark.parametrize(
    ("at", "open_then"),
    [
        (NOON - timedelta(seconds=1), False),
        (NOON, True),
        (NOON + WEEK - timedelta(seconds=1), True),
        (NOON + WEEK, False),
    ],
)
def test_it_is_open_from_its_first_moment_to_just_before_its_last(alice, at, open_then):
    quiz = make_quiz()
    if open_then:
        assert answer(quiz, alice, 1, 0, now=at) == (2, 10)
        return
    with pytest.raises(NotOpen):
        answer(quiz, alice, 1, 0, now=at)
    assert rows(Attempt) == 0


def test_a_draft_cannot_be_answered(alice):
    with pytest.raises(NotOpen):
        answer(make_quiz(published=False), alice, 1, 0)


def test_three_quizzes_a_day_pay_and_the_fourth_only_pleases(alice):
    paid = [answer(make_quiz(f"tea-{number}"), alice, 1, 0)[1] for number in range(4)]
    assert paid == [10, 10, 10, 0]
    assert points(alice) == Points(30)


def test_where_quizzes_pay_nothing_they_can_still_be_answered(alice):
    with transaction():
        change(EarningTerms, {"rewards": {}}, by=SYSTEM, now=NOON)
    assert answer(make_quiz(), alice, 1, 0) == (2, 0)


# --- changing it ----------------------------------------------------------------------------


def reword(quiz, text="Which?"):
    question = questions_of(quiz.id)[0]
    with transaction():
        write_question(
            quiz_id=quiz.id,
            question_id=question.id,
            text={"en": text},
            choices=question.choices,
            right=0,
            explanation={},
            by=SYSTEM,
            now=NOON,
        )


def test_who_read_other_questions_is_shown_the_new_ones(alice):
    quiz = make_quiz()
    revision = quiz.revision
    reword(quiz)
    with pytest.raises(QuizChanged):
        answer(quiz, alice, 1, 0, revision=revision)
    assert rows(Attempt) == 0
    assert answer(quiz, alice, 0, 0) == (2, 10)


def test_once_somebody_has_answered_nothing_changes_any_more(alice):
    quiz = make_quiz()
    answer(quiz, alice, 0, 0)
    question = questions_of(quiz.id)[0].id
    with pytest.raises(AlreadyAnswered):
        reword(quiz)
    with pytest.raises(AlreadyAnswered), transaction():
        remove_question(quiz_id=quiz.id, question_id=question, by=SYSTEM, now=NOON)
    with pytest.raises(AlreadyAnswered), transaction():
        update_quiz(
            quiz_id=quiz.id, title={"en": "x"}, intro={}, opens_at=NOON, closes_at=None, needed=0, by=SYSTEM, now=NOON
        )
    assert questions_of(quiz.id)[0].text == {"en": "Tea question 1?"}


def test_an_answered_quiz_taken_back_ends_and_keeps_its_results(alice):
    quiz = make_quiz()
    answer(quiz, alice, 1, 0)
    later = NOON + timedelta(hours=1)
    with transaction():
        withdraw_quiz(quiz_id=quiz.id, by=SYSTEM, now=later)
    assert quiz_by_code("tea").closes_at == later
    assert results_of(quiz.id).attempts == 1


def test_an_unanswered_one_is_a_draft_again(app):
    quiz = make_quiz()
    with transaction():
        withdraw_quiz(quiz_id=quiz.id, by=SYSTEM, now=NOON)
    assert quiz_by_code("tea").published_at is None


def test_a_quiz_without_questions_or_with_too_few_is_not_published(app):
    quiz = make_quiz(needed=3, published=False)
    with pytest.raises(InvalidInput, match="More right answers"), transaction():
        publish_quiz(quiz_id=quiz.id, by=SYSTEM, now=NOON)
    for question in [each.id for each in questions_of(quiz.id)]:
        with transaction():
            remove_question(quiz_id=quiz.id, question_id=question, by=SYSTEM, now=NOON)
    with pytest.raises(InvalidInput, match="needs a question"), transaction():
        publish_quiz(quiz_id=quiz.id, by=SYSTEM, now=NOON)
    assert quiz_by_code("tea").published_at is None


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"code": "Tea Time"}, "code"),
        ({"closes_at": NOON}, "before it opens"),
        ({"needed": 21}, "right answers"),
        ({"needed": -1}, "right answers"),
    ],
)
def test_nonsense_makes_no_quiz(app, fields, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        make_quiz(**fields)


def test_two_quizzes_do_not_share_a_code(app):
    make_quiz()
    with pytest.raises(InvalidInput, match="this code"):
        make_quiz()


@pytest.mark.parametrize(
    ("choices", "right"), [([{"en": "Yes"}], 0), ([{"en": "Yes"}, {"en": " "}], 0), ([{"en": "Yes"}, {"en": "No"}], 2)]
)
def test_a_question_needs_answers_and_a_right_one(app, choices, right):
    quiz = make_quiz(published=False)
    with pytest.raises(InvalidInput), transaction():
        write_question(
            quiz_id=quiz.id,
            question_id=None,
            text={"en": "Well?"},
            choices=choices,
            right=right,
            explanation={},
            by=SYSTEM,
            now=NOON,
        )
    assert len(questions_of(quiz.id)) == 2


def test_what_colleagues_do_is_in_the_audit_log(app):
    make_quiz()
    actions = list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["quiz.create", "quiz.question", "quiz.question", "quiz.publish"]


def test_results_count_members_and_choices(alice):
    quiz, bob = make_quiz(), make_member()
    answer(quiz, alice, 1, 0)
    answer(quiz, bob, 0, 0)
    found = results_of(quiz.id)
    first, second = (question.id for question in questions_of(quiz.id))
    assert (found.attempts, found.points, dict(found.scores)) == (2, 10, {2: 1, 1: 1})
    assert (dict(found.chosen[first]), dict(found.chosen[second])) == ({1: 1, 0: 1}, {0: 2})
