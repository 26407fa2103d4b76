"""What a colleague writes down is rewarded by the rules, once, and on record."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.audit import AuditEntry
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.foundation.terms import change
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger.queries import standing
from tests.cast import sign_in
from tests.community.courses.making import make_course, read
from tests.conftest import NOON

EVENING = {"kind": "event", "title": "Wine evening", "day": "2026-06-14"}


def url(member):
    return f"/backoffice/members/{member.code}/participation/new"


def available(member):
    db.session.rollback()
    return standing(member.id, now=NOON).available


def audited():
    entries = sa.select(AuditEntry).where(AuditEntry.action == "activity.record").order_by(AuditEntry.id)
    return [entry.after for entry in db.session.scalars(entries)]


def test_an_event_brings_what_the_rules_give_and_stands_in_the_audit_log(desk, carol):
    answer = desk.post(url(carol), data=EVENING, follow_redirects=True)
    assert "50 points were given." in answer.text
    assert "Wine evening" in answer.text
    assert available(carol) == Points(150)
    assert audited() == [{"kind": "event", "title": "Wine evening", "day": "2026-06-14", "points": 50}]


@pytest.mark.parametrize("title", ["Wine evening", " wine  EVENING ", "Ｗine evening"])
def test_the_same_thing_twice_brings_nothing(desk, carol, title):
    desk.post(url(carol), data=EVENING)
    answer = desk.post(url(carol), data=EVENING | {"title": title}, follow_redirects=True)
    assert "Nothing was given again." in answer.text
    assert available(carol) == Points(150)
    assert len(audited()) == 1


def test_another_day_is_another_event_up_to_the_months_cap(desk, carol):
    for day in range(1, 6):
        answer = desk.post(url(carol), data=EVENING | {"day": f"2026-06-{day:02}"}, follow_redirects=True)
    assert "A cap of the rules left no points" in answer.text
    assert available(carol) == Points(300)
    assert [entry["points"] for entry in audited()] == [50, 50, 50, 50, 0]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "joining"}, "Not a valid choice"),
        ({"kind": ""}, "Please choose what it was"),
        ({"title": " "}, "Please name it"),
        ({"title": "x" * 61}, "60 characters"),
        ({"day": ""}, "Please give the day"),
        ({"day": "2026-06-16"}, "still to come"),
        ({"day": "2026-02-30"}, "Not a valid date"),
    ],
)
def test_nonsense_is_refused_and_gives_nothing(desk, carol, changes, sentence):
    answer = desk.post(url(carol), data=EVENING | changes)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert (available(carol), audited()) == (Points(100), [])


def test_what_brings_nothing_is_not_offered(desk, carol):
    with transaction():
        change(EarningTerms, {"rewards": {"survey": {"points": 5}}}, by=SYSTEM, now=NOON - timedelta(days=1))
    page = desk.get(url(carol)).text
    assert 'value="survey"' in page
    assert 'value="event"' not in page
    assert desk.post(url(carol), data=EVENING).status_code == 422


def test_the_page_shows_each_kind_with_its_points_and_cap(desk, carol):
    page = desk.get(url(carol)).text
    assert "Attended an event" in page
    assert "At most 200 points a month." in page


@pytest.mark.parametrize("who", ["auditor", "merchant"])
def test_others_may_not(client, carol, who, request):
    sign_in(client, request.getfixturevalue(who))
    assert client.post(url(carol), data=EVENING).status_code == 403
    assert available(carol) == Points(100)


def test_a_member_who_does_not_exist_is_not_found(desk):
    assert desk.get("/backoffice/members/NOBODY/participation/new").status_code == 404


def test_a_course_of_ours_is_one_course_whoever_notes_that_it_is_finished(desk, carol):
    make_course(lessons=1, title={"en": "Brewing tea", "zh_Hans": "泡茶"})
    noted = {"kind": "course", "title": "  brewing TEA ", "day": "2026-06-14"}
    assert "30 points were given." in desk.post(url(carol), data=noted, follow_redirects=True).text
    again = desk.post(url(carol), data=noted | {"title": "泡茶", "day": "2026-06-13"}, follow_redirects=True)
    assert "Nothing was given again." in again.text
    progress = read(carol.id, 1)
    assert (progress.completed_at, progress.points) == (NOON, 0)
    assert available(carol) == Points(130)


def test_a_course_that_was_read_with_us_brings_nothing_at_the_desk_and_another_does(desk, carol):
    make_course(lessons=1)
    read(carol.id, 1)
    course = {"kind": "course", "title": "Brewing tea", "day": "2026-06-14"}
    assert "Nothing was given again." in desk.post(url(carol), data=course, follow_redirects=True).text
    desk.post(url(carol), data=course | {"title": "Pottery"})
    assert available(carol) == Points(160)
    assert [entry["title"] for entry in audited()] == ["Pottery"]
