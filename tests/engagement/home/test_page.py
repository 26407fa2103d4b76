"""The first page."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin.actions import check_in
from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.identity.members.models import Address
from app.loyalty.ledger.queries import standing
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import buy, give_points

DAY = timedelta(days=1)
MOST_QUERIES = 10


@pytest.fixture
def home(client, alice):
    sign_in(client, alice)
    return lambda **headers: client.get("/", headers=headers).text


def queries_of(look):
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if statement != "BEGIN":  # SQLite is told aloud what PostgreSQL does by itself.
            seen.append(statement)

    sa.event.listen(db.engine, "after_cursor_execute", note)
    look()
    sa.event.remove(db.engine, "after_cursor_execute", note)
    return seen


def test_visitors_are_shown_the_programme(client, app):
    answer = client.get("/", follow_redirects=True)
    assert answer.status_code == 200
    assert answer.request.path == "/programme"


def test_staff_who_look_at_the_portal_see_what_visitors_see(client, agent):
    sign_in(client, agent)
    assert client.get("/").location == "/programme"


def test_a_member_sees_balance_tier_code_and_todays_button(home, alice):
    text = home()
    balance = standing(alice.id, now=NOON).available
    assert f">{balance}<" in text
    assert "Alice Lin" in text
    assert alice.code in text
    assert "Regular" in text
    assert "Check in for 5 points" in text


def test_one_tap_checks_in_and_the_page_shows_the_new_balance(client, home, alice):
    before = standing(alice.id, now=NOON).available
    client.post("/check-in", data={"next": "/"})
    text = home()
    assert f">{before + Points(5)}<" in text
    assert "1 day in a row" in text
    assert "Check in for" not in text


def test_htmx_gets_the_page_without_its_frame(home):
    text = home(**{"HX-Request": "true", "HX-Target": "home"})
    assert text.lstrip().startswith('<div id="home">')
    assert "<html" not in text


def test_what_expires_soon_says_how_much_and_when(home, alice):
    with transaction():
        give_points(alice.id, 70, key="soon", expires_at=clock.end_of(NOON.date() + 9 * DAY, clock.programme_zone()))
    text = home()
    assert "70 points expire after Jun 24, 2026" in text
    assert "Use 70 points by Jun 24, 2026" in text


def test_what_is_on_the_way_is_not_in_the_balance(home, alice):
    before = standing(alice.id, now=NOON).available
    with transaction():
        give_points(alice.id, 4321, key="later", pending=True)
    text = home()
    assert "4,321" in text
    assert f">{before}<" in text


def test_the_way_to_the_next_tier_is_shown_in_figures(home, alice, unit):
    buy(alice.id, 31_000, unit=unit)
    text = home()
    assert "Your way to Silver" in text
    assert "310 / " in text or "¥310 / " in text


def test_only_the_latest_three_lines_are_shown_and_none_of_anybody_else(home, alice, bob):
    with transaction():
        for n in range(5):
            give_points(alice.id, 1001 + n, key=f"line{n}")
        give_points(bob.id, 7777, key="bobs")
    text = home()
    assert [n for n in range(1001, 1006) if f"+{n:,}" in text] == [1003, 1004, 1005]
    assert "7,777" not in text


def test_an_unfinished_profile_is_suggested_until_it_is_complete(client, home, alice):
    assert "Complete your profile" in home()
    with transaction():
        alice.birth_date = (NOON - 9999 * DAY).date()
        db.session.add(
            Address(member_id=alice.id, recipient="A", phone="1", region="S", city="S", line="1", is_default=True)
        )
        db.session.add(alice)
    assert "Complete your profile" not in home()


@pytest.mark.parametrize(("hour", "greeting"), [(0, "Good morning"), (5, "Good afternoon"), (12, "Good evening")])
def test_the_greeting_goes_by_the_programmes_clock(client, alice, hour, greeting):
    with clock.freeze(NOON.replace(hour=hour)):  # Shanghai is eight hours ahead
        sign_in(client, alice)
        assert f"{greeting}, Alice Lin" in client.get("/").text


def test_a_handful_of_queries_whatever_the_history(home, alice, unit):
    buy(alice.id, 1_000, unit=unit)
    few = queries_of(home)
    for n in range(25):
        buy(alice.id, 1_000, unit=unit, order_no=f"more-{n}")
        with transaction():
            check_in(member_id=alice.id, now=NOON - (25 - n) * DAY)
    many = queries_of(home)
    assert len(many) == len(few), "\n".join(many)
    assert len(many) <= MOST_QUERIES, "\n".join(many)
