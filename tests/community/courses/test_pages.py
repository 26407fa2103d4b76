"""Members read lesson by lesson without scripts; colleagues write courses, order their lessons and see who reads."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from app.community.courses.actions import withdraw_course
from app.community.courses.models import Course, LessonRead
from app.community.courses.queries import course_by_code, lessons_of
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from tests.cast import make_unit, sign_in
from tests.community.courses.making import begin, give, lesson_ids, make_course, read
from tests.conftest import NOON
from tests.engagement.home.test_page import queries_of

COURSE = {"code": "tea", "title_en": "Tea time", "summary_en": "Brew it well.", "picture": "teapot", "unit": "mall"}
LESSON = {"title_en": "Water", "body_en": "# Hot\n\n**Not** boiling.", "body_zh_Hans": "别用*沸*水。"}


@pytest.fixture
def member(client, alice):
    return sign_in(client, alice)


def rows(model):
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(model))


def lesson_url(place, code="tea"):
    return f"/courses/{code}/lessons/{lesson_ids(code)[place - 1]}"


# --- members --------------------------------------------------------------------------------


def test_a_member_reads_through_to_the_end_and_gets_the_points(member):
    make_course()
    page = member.get("/courses/tea").text
    assert "Read all 2 lessons, and get 30 points." in page
    assert f'href="{lesson_url(1)}"' in page
    lesson = member.get(lesson_url(1)).text
    assert "What is <strong>told</strong> in 1." in lesson
    assert "I have read it, next lesson" in lesson
    onward = member.post(lesson_url(1) + "/reading")
    assert (onward.status_code, onward.location) == (303, lesson_url(2))
    last = member.get(lesson_url(2)).text
    assert "I have read it: finish the course" in last
    assert member.post(lesson_url(2) + "/reading").location == "/courses/tea"
    done = member.get("/courses/tea").text
    assert "You have finished this course" in done
    assert "30 points are yours." in done
    assert "/reading" not in member.get(lesson_url(1)).text


def test_who_skipped_a_lesson_is_led_back_to_it(member):
    make_course(lessons=3)
    assert member.post(lesson_url(2) + "/reading").location == lesson_url(3)
    assert member.post(lesson_url(3) + "/reading").location == lesson_url(1)


def test_going_back_and_sending_it_again_counts_once(member):
    make_course()
    for _ in range(2):
        member.post(lesson_url(1) + "/reading")
    assert rows(LessonRead) == 1
    assert "1 of 2 lessons" in member.get("/courses/tea").text


def test_without_access_no_lesson_is_shown_but_how_to_get_it(member, alice):
    make_course(open_to_all=False)
    course = member.get("/courses/tea")
    assert course.status_code == 200
    assert 'href="/mall?q=Brewing+tea"' in course.text
    assert "Tea lesson 1" in course.text
    assert "/lessons/" not in course.text
    lesson = member.get(lesson_url(1))
    assert lesson.status_code == 403
    assert "told" not in lesson.text
    assert "How to get this course" in lesson.text
    assert member.post(lesson_url(1) + "/reading").location == "/courses/tea"
    assert rows(LessonRead) == 0
    give(alice.id)
    begin(alice.id)
    assert "told" in member.get(lesson_url(1)).text


def test_what_was_given_is_begun_before_a_lesson_is_shown(member, alice):
    make_course(open_to_all=False)
    give(alice.id)
    for path in ("/courses/tea", lesson_url(1), lesson_url(2)):
        page = member.get(path).text
        assert "told" not in page
        assert 'href="/courses/tea/lessons/' not in page
        assert "Begin the course" in page
        assert "can no longer be given back" in page
    assert member.post(lesson_url(1) + "/reading").location == "/courses/tea"
    assert rows(LessonRead) == 0
    for _ in range(2):
        begun = member.post("/courses/tea/opening")
        assert (begun.status_code, begun.location) == (303, lesson_url(1))
    assert "told" in member.get(lesson_url(1)).text
    assert "Begin the course" not in member.get("/courses/tea").text


def test_nobody_begins_what_they_were_not_given(member):
    make_course(open_to_all=False)
    make_course("draft", published=False)
    assert member.post("/courses/tea/opening").location == "/courses/tea"
    assert member.post("/courses/draft/opening").status_code == 404
    assert member.get(lesson_url(1)).status_code == 403


def test_what_is_for_everybody_needs_no_beginning(member):
    make_course()
    assert "Begin the course" not in member.get("/courses/tea").text
    assert "told" in member.get(lesson_url(1)).text


def test_the_list_tells_mine_free_sold_and_finished_apart(member, alice):
    for code, fields in {
        "free": {},
        "sold": {"open_to_all": False},
        "mine": {"open_to_all": False},
        "done": {"lessons": 1},
        "hidden": {"published": False},
    }.items():
        make_course(code, title={"en": f"About {code}"}, **fields)
    give(alice.id, "mine")
    begin(alice.id, "mine")
    read(alice.id, 1, code="mine")
    read(alice.id, 1, code="done")
    page = member.get("/courses").text
    places = [page.index(text) for text in ("Your courses", "About mine", "About done")]
    places += [page.index(text) for text in ("More to discover", "About free", "About sold")]
    assert places == sorted(places)
    assert "1 of 2 lessons" in page
    assert "30 points earned" in page
    assert "About hidden" not in page


def test_a_list_costs_the_same_whatever_its_length(member, alice):
    make_course("one")
    few = len(queries_of(lambda: member.get("/courses")))
    for number in range(6):
        make_course(f"more-{number}", open_to_all=bool(number % 2))
        read(alice.id, 1, code="one")
    assert len(queries_of(lambda: member.get("/courses"))) == few


def test_what_is_not_published_is_not_there_and_what_was_given_is_revised(member, alice):
    course = make_course(open_to_all=False)
    give(alice.id)
    path = lesson_url(1)
    with transaction():
        withdraw_course(course_id=course.id, by=SYSTEM, now=NOON)
    assert "being revised" in member.get("/courses/tea").text
    lesson = member.get(path)
    assert lesson.status_code == 403
    assert "told" not in lesson.text
    assert "Being revised" in member.get("/courses").text
    make_course("draft", published=False)
    for unknown in ("/courses/draft", lesson_url(1, "draft"), "/courses/nothing", "/courses/nothing/lessons/1"):
        assert member.get(unknown).status_code == 404
    assert member.post(lesson_url(1, "draft") + "/reading").status_code == 404


def test_a_lesson_is_found_in_its_own_course_only(member):
    make_course()
    make_course("coffee")
    path = f"/courses/coffee/lessons/{lesson_ids()[0]}"
    assert member.get(path).status_code == 404
    assert member.post(path + "/reading").location == "/courses/coffee"
    assert member.get(f"/courses/tea/lessons/{10**30}").status_code == 404
    assert rows(LessonRead) == 0


def test_texts_are_texts_and_scripts_do_not_arrive(member):
    make_course(title={"en": "<b>Tea</b>"}, description={"en": "<script>x()</script> [a](javascript:x)"})
    page = member.get("/courses/tea").text
    assert "<b>Tea" not in page
    assert "<script>x" not in page
    assert "javascript:x" not in re.sub(r"\[a\]\(javascript:x\)", "", page)


def test_earn_points_shows_what_can_be_read_and_how_far_one_is(member, alice):
    make_course("free", title={"en": "About free"})
    make_course("sold", title={"en": "About sold"}, open_to_all=False)
    make_course("done", title={"en": "About done"}, lessons=1)
    read(alice.id, 1, code="done")
    read(alice.id, 1, code="free")
    page = member.get("/earn").text
    assert "About free" in page
    assert "1 of 2 lessons" in page
    assert "30 of 300 this month" in page
    assert "About sold" not in page
    assert "About done" not in page


def test_an_empty_list_leads_on(member):
    assert "No course just now" in member.get("/courses").text


# --- colleagues -----------------------------------------------------------------------------


def test_a_merchant_writes_a_course_looks_at_it_and_publishes_it(client, merchant, alice):
    office = sign_in(client, merchant)
    assert office.post("/backoffice/courses/new", data=COURSE).location == "/backoffice/courses/tea"
    assert "A course needs a lesson" in office.post("/backoffice/courses/tea/publication", follow_redirects=True).text
    for title in ("Water", "Leaves"):
        office.post("/backoffice/courses/tea/lessons/new", data=LESSON | {"title_en": title})
    preview = office.get("/backoffice/courses/tea/preview").text
    assert "<strong>Not</strong> boiling." in preview
    office.post(f"/backoffice/courses/tea/lessons/{lesson_ids()[1]}/place", data={"to": "up"})
    assert [lesson.title["en"] for lesson in lessons_of(course_by_code("tea").id)] == ["Leaves", "Water"]
    assert "别用*沸*水。" in office.get(f"/backoffice/courses/tea/lessons/{lesson_ids()[0]}").text
    office.post("/backoffice/courses/tea/publication")
    course = course_by_code("tea")
    assert course.published_at == NOON
    assert course.open_to_all is False
    give(alice.id)
    begin(alice.id)
    read(alice.id, 1)
    shown = office.get("/backoffice/courses/tea").text
    assert "1 member has read it" in shown
    assert f"{lesson_ids()[0]}/removal" not in shown
    assert f"{lesson_ids()[1]}/removal" in shown
    refused = office.post(f"/backoffice/courses/tea/lessons/{lesson_ids()[0]}/removal", follow_redirects=True)
    assert "so it stays" in refused.text
    office.post("/backoffice/courses/tea/withdrawal")
    assert course_by_code("tea").published_at is None


def test_a_lesson_that_is_not_there_is_not_said_to_be_removed(client, owner):
    office = sign_in(client, owner)
    make_course(lessons=2)
    make_course("other", lessons=2)
    of_another = lesson_ids("other")[0]
    for lesson in (99999, of_another):
        text = office.post(f"/backoffice/courses/tea/lessons/{lesson}/removal", follow_redirects=True).text
        assert "This lesson is not there any more." in text
        assert "The lesson is removed." not in text
    first, second = lesson_ids()
    said = [office.post(f"/backoffice/courses/tea/lessons/{first}/removal", follow_redirects=True) for _ in range(2)]
    assert "The lesson is removed." in said[0].text
    assert "The lesson is removed." not in said[1].text
    assert (lesson_ids(), len(lesson_ids("other"))) == ([second], 2)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title_en": ""}, "title in one language"),
        ({"code": "Tea!"}, "small letters"),
        ({"picture": "../secret"}, "Please check what is marked"),
        ({"unit": "nowhere"}, "Please check what is marked"),
        ({"summary_en": "x" * 201}, "at most 200 characters"),
    ],
)
def test_a_course_that_makes_no_sense_is_refused(client, owner, unit, changes, sentence):
    page = sign_in(client, owner).post("/backoffice/courses/new", data=COURSE | changes)
    assert page.status_code == 422
    assert sentence in page.text
    assert rows(Course) == 0


@pytest.mark.parametrize("changes", [{"title_en": " "}, {"body_en": "", "body_zh_Hans": ""}])
def test_a_lesson_that_makes_no_sense_is_refused(client, owner, changes):
    make_course()
    page = sign_in(client, owner).post("/backoffice/courses/tea/lessons/new", data=LESSON | changes)
    assert page.status_code == 422
    assert len(lesson_ids()) == 2


def test_changing_a_course_and_a_lesson(client, owner, unit):
    make_course()
    office, lesson = sign_in(client, owner), lesson_ids()[0]
    assert 'value="Brewing tea"' in office.get("/backoffice/courses/tea/edit").text
    office.post("/backoffice/courses/tea/edit", data=COURSE | {"code": "other", "open_to_all": "y"})
    office.post(f"/backoffice/courses/tea/lessons/{lesson}", data=LESSON)
    course = course_by_code("tea")
    assert (course.title, course.unit_id, course.open_to_all) == ({"en": "Tea time"}, unit.id, True)
    assert lessons_of(course.id)[0].title == {"en": "Water"}
    assert office.get("/backoffice/courses/tea/lessons/999999").status_code == 404
    assert office.post(f"/backoffice/courses/tea/lessons/{lesson}/place", data={"to": "top"}).status_code == 422


def test_a_merchant_sees_and_changes_courses_of_their_own_units_only(client, merchant):
    other = make_unit("bakery", "Bakery")
    make_course("theirs", title={"en": "Theirs"}, unit_id=other.id)
    make_course("programme", title={"en": "The programme's"})
    office = sign_in(client, merchant)
    page = office.get("/backoffice/courses").text
    assert "Theirs" not in page
    for code in ("theirs", "programme"):
        assert office.get(f"/backoffice/courses/{code}").status_code == 404
        assert office.post(f"/backoffice/courses/{code}/withdrawal").status_code == 404
        assert course_by_code(code).published_at == NOON
    for unit in ("bakery", ""):
        assert office.post("/backoffice/courses/new", data=COURSE | {"unit": unit}).status_code == 422


@pytest.mark.parametrize("who", ["agent", "auditor"])
def test_who_only_reads_is_offered_nothing_to_write(client, who, request):
    make_course(published=False)
    office = sign_in(client, request.getfixturevalue(who))
    for path in ("/backoffice/courses", "/backoffice/courses/tea", "/backoffice/courses/tea/preview"):
        page = office.get(path)
        assert page.status_code == 200
        assert not re.search(r"/new|/edit|publication|/place|/removal", page.text)
    assert office.post("/backoffice/courses/tea/publication").status_code == 403
