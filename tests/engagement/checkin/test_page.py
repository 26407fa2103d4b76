"""The check-in page: one button, one calendar."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin.actions import check_in
from app.engagement.checkin.models import CheckIn
from app.foundation import clock
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import make_member

DAY = timedelta(days=1)


@pytest.fixture
def carol(app):
    """A member since April."""
    return db.session.get(Member, make_member(name="Carol", at=NOON - 70 * DAY))


@pytest.fixture
def carols(client, carol):
    return sign_in(client, carol)


def count():
    return db.session.scalar(sa.select(sa.func.count()).select_from(CheckIn))


def test_the_button_says_what_today_pays(carols):
    text = carols.get("/check-in").text
    assert "Check in for 5 points" in text
    assert "Start a streak today" in text
    assert "Bonus in 6 days: 10 points." in text


def test_one_tap_checks_in_and_shows_it(carols):
    answer = carols.post("/check-in")
    assert (answer.status_code, answer.location) == (303, "/check-in?done=1")
    text = carols.get(answer.location).text
    assert "confetti" in text
    assert "+5 points" in text
    assert "Check in for" not in text
    assert count() == 1


def test_a_double_click_gets_the_same_friendly_answer(carols):
    first, second = carols.post("/check-in"), carols.post("/check-in")
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert count() == 1


def test_from_the_home_page_it_leads_back_there(carols):
    assert 'name="next" value="/?done=1"' in carols.get("/").text
    assert carols.post("/check-in", data={"next": "/?done=1"}).location == "/?done=1"
    assert "confetti" in carols.get("/?done=1").text
    assert "confetti" not in carols.get("/").text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_it_never_leads_to_another_site(carols, elsewhere):
    assert carols.post("/check-in", data={"next": elsewhere}).location == "/check-in?done=1"


def test_the_joy_is_for_the_moment_and_only_for_a_day_that_is_done(carols):
    assert "confetti" not in carols.get("/check-in?done=1").text
    carols.post("/check-in")
    assert "confetti" not in carols.get("/check-in").text


def test_looking_checks_nobody_in(carols):
    carols.get("/check-in")
    assert count() == 0


def test_somebody_elses_days_are_not_shown(carols, app):
    dave = make_member(name="Dave")
    with transaction():
        check_in(member_id=dave, now=NOON)
    assert "Check in for 5 points" in carols.get("/check-in").text


def test_earlier_months_can_be_looked_through_back_to_the_first(carols, carol):
    with transaction():
        check_in(member_id=carol.id, now=NOON - 40 * DAY)
    text = carols.get("/check-in").text
    assert "June 2026" in text
    assert 'href="/check-in?month=2026-05"' in text
    assert "month=2026-07" not in text
    may = carols.get("/check-in?month=2026-05").text
    assert "May 6, 2026: checked in, 5 points" in may
    assert "May 7, 2026: missed" in may
    april = carols.get("/check-in?month=2026-04").text
    assert "April 5, 2026: before you joined" in april
    assert "month=2026-03" not in april


def test_a_month_that_is_none_of_the_members_is_not_found(carols):
    for month in ("2026-07", "2026-03", "1999-01", "9999-12", "0000-00", "2026-13", "2026-6", "x", "", "２０２６-０６"):
        assert carols.get("/check-in", query_string={"month": month}).status_code == 404, month


def test_htmx_gets_the_calendar_alone(carols):
    headers = {"HX-Request": "true", "HX-Target": "checkin_month"}
    text = carols.get("/check-in?month=2026-05", headers=headers).text
    assert text.lstrip().startswith('<section class="card" id="checkin_month"')
    assert "<html" not in text


def test_on_the_last_night_of_the_year_it_is_the_programmes_year_that_counts(client, carol):
    with clock.freeze(NOON.replace(month=12, day=31, hour=16, minute=30)):  # 00:30 on 1 January in Shanghai
        sign_in(client, carol)
        assert "January 2027" in client.get("/check-in").text


def test_visitors_sign_in_first_and_staff_have_no_streak(client, agent, carol):
    assert client.get("/check-in").location.startswith("/session")
    sign_in(client, agent)
    assert client.get("/check-in").status_code == 403
    assert client.post("/check-in").status_code == 403
    assert count() == 0


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_it_speaks_the_members_language(carols, language):
    assert carols.get("/check-in", headers={"Accept-Language": language}).status_code == 200
