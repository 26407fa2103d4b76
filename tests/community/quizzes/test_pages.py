"""Members answer on one page without scripts; colleagues write, publish and see how it went."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.community.quizzes.models import Attempt, Quiz
from app.community.quizzes.queries import questions_of, quiz_by_code
from app.foundation import clock
from app.foundation.database import db
from tests.cast import sign_in
from tests.community.quizzes.making import answer, make_quiz
from tests.conftest import NOON

QUIZ = {"code": "tea", "title_en": "Tea time", "opens_at": "2026-06-15T12:00", "needed": "0"}
QUESTION = {
    "text_en": "Green tea?",
    "choices-0-text_en": "Hot",
    "choices-1-text_en": "",
    "choices-2-text_en": "Warm",
    "choices-2-text_zh_Hans": "温",
    "right": "2",
    "explanation_en": "It turns bitter.",
}


def hand_in(client, *places, revision=None):
    quiz = quiz_by_code("tea")
    chosen = {f"q{question.id}": place for question, place in zip(questions_of(quiz.id), places, strict=False)}
    told = quiz.revision if revision is None else revision
    return client.post("/quizzes/tea/answers", data={"revision": told, **chosen})


@pytest.fixture
def member(client, alice):
    return sign_in(client, alice)


# --- members --------------------------------------------------------------------------------


def test_a_member_answers_and_sees_what_was_right_and_why(member):
    make_quiz()
    page = member.get("/quizzes/tea").text
    assert "Answer all questions right, and get 10 points. At most 30 points a day." in page
    assert "Because of tea" not in page
    answer_ = hand_in(member, 1, 0)
    assert (answer_.status_code, answer_.location) == (303, "/quizzes/tea")
    result = member.get("/quizzes/tea").text
    assert "2 of 2 right" in result
    assert "10 points are yours." in result
    assert "Because of tea 2." in result


def test_a_forgotten_question_is_marked_and_what_was_chosen_stays(member):
    make_quiz()
    page = hand_in(member, 1)
    assert page.status_code == 422
    assert page.text.count("Please choose an answer.") == 1
    assert page.text.count(" checked") == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Attempt)) == 0


@pytest.mark.parametrize("value", ["", "99", "-1", "x", "9" * 30])
def test_what_is_no_choice_is_no_answer(member, value):
    make_quiz()
    assert hand_in(member, 1, value).status_code == 422


def test_going_back_and_trying_again_shows_the_first_result(member):
    make_quiz()
    hand_in(member, 0, 0)
    hand_in(member, 1, 0)
    assert "1 of 2 right" in member.get("/quizzes/tea").text


def test_questions_that_changed_are_shown_anew(member):
    make_quiz()
    answer_ = hand_in(member, 1, 0, revision=1)
    assert answer_.status_code == 303
    assert "The questions have changed meanwhile." in member.get("/quizzes/tea").text


def test_the_list_tells_open_coming_and_past(member, alice):
    make_quiz()
    make_quiz("soon", opens_at=NOON + timedelta(days=1), closes_at=None)
    make_quiz("hidden", published=False)
    page = member.get("/quizzes").text
    assert page.count("All about tea") == 2
    assert 'href="/quizzes/tea"' in page
    assert 'href="/quizzes/soon"' not in page
    answer(quiz_by_code("tea"), alice.id, 1, 0)
    assert "2 of 2 right" in member.get("/quizzes").text


def test_before_and_after_its_time_there_are_no_questions(member):
    make_quiz()
    for at in (NOON - timedelta(seconds=1), NOON + timedelta(days=7)):
        with clock.freeze(at):
            page = member.get("/quizzes/tea")
            assert page.status_code == 200
            assert "Tea question" not in page.text


def test_what_is_not_published_is_not_there(member):
    make_quiz(published=False)
    for path in ("/quizzes/tea", "/quizzes/nothing"):
        assert member.get(path).status_code == 404
    assert member.post("/quizzes/tea/answers").status_code == 404


def test_an_empty_list_leads_on(member):
    assert "No quiz just now" in member.get("/quizzes").text


def test_texts_are_text(member):
    make_quiz(closes_at=None)
    quiz = quiz_by_code("tea")
    quiz.title, quiz.intro = {"en": "<b>Tea</b>"}, {"en": "<script>x()</script>"}
    db.session.commit()
    page = member.get("/quizzes/tea").text
    assert "<b>Tea" not in page
    assert "<script>x" not in page


# --- colleagues -----------------------------------------------------------------------------


def test_a_merchant_makes_a_quiz_and_sees_what_became_of_it(client, merchant, alice):
    office = sign_in(client, merchant)
    assert office.post("/backoffice/quizzes/new", data=QUIZ).location == "/backoffice/quizzes/tea"
    assert "A quiz needs a question" in office.post("/backoffice/quizzes/tea/publication", follow_redirects=True).text
    office.post("/backoffice/quizzes/tea/questions/new", data=QUESTION)
    question = questions_of(quiz_by_code("tea").id)[0]
    assert question.choices == [{"en": "Hot"}, {"en": "Warm", "zh_Hans": "温"}]
    assert question.right == 1  # The empty line between them is left out.
    assert quiz_by_code("tea").opens_at == NOON  # Noon in the programme's timezone.
    edit = office.get(f"/backoffice/quizzes/tea/questions/{question.id}").text
    assert 'value="Warm"' in edit
    office.post("/backoffice/quizzes/tea/publication")
    answer(quiz_by_code("tea"), alice.id, 1)
    shown = office.get("/backoffice/quizzes/tea").text
    assert "it can no longer be changed" in shown
    assert "1 had enough right" in shown
    assert "questions/new" not in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_en": ""}, "title in one language"),
        ({"code": "Tea!"}, "small letters"),
        ({"opens_at": "soon"}, "Please check what is marked"),
        ({"closes_at": "2026-06-15T11:00"}, "before it opens"),
        ({"needed": "99"}, "From 0 to 20."),
    ],
)
def test_a_quiz_that_makes_no_sense_is_refused(client, owner, changes, sentence):
    page = sign_in(client, owner).post("/backoffice/quizzes/new", data=QUIZ | changes)
    assert page.status_code == 422
    assert sentence in page.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Quiz)) == 0


@pytest.mark.parametrize(
    "changes", [{"right": "1"}, {"choices-2-text_en": "", "choices-2-text_zh_Hans": ""}, {"text_en": ""}]
)
def test_a_question_that_makes_no_sense_is_refused(client, owner, changes):
    make_quiz(published=False)
    page = sign_in(client, owner).post("/backoffice/quizzes/tea/questions/new", data=QUESTION | changes)
    assert page.status_code == 422
    assert len(questions_of(quiz_by_code("tea").id)) == 2


def test_taking_it_back_and_removing_a_question(client, owner):
    office = sign_in(client, owner)
    question = questions_of(make_quiz().id)[0].id
    office.post("/backoffice/quizzes/tea/withdrawal")
    assert quiz_by_code("tea").published_at is None
    office.post(f"/backoffice/quizzes/tea/questions/{question}/removal")
    assert question not in [each.id for each in questions_of(quiz_by_code("tea").id)]
    assert office.get(f"/backoffice/quizzes/tea/questions/{question}").status_code == 404


@pytest.mark.parametrize("who", ["agent", "auditor"])
def test_who_only_reads_is_offered_nothing_to_write(client, who, request):
    make_quiz(published=False)
    office = sign_in(client, request.getfixturevalue(who))
    for path in ("/backoffice/quizzes", "/backoffice/quizzes/tea"):
        page = office.get(path)
        assert page.status_code == 200
        assert "/new" not in page.text
        assert "publication" not in page.text
    assert office.post("/backoffice/quizzes/tea/publication").status_code == 403
