"""Every way to earn on one page: its rule, its cap, and how far a member is today."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.engagement.checkin.actions import check_in
from app.engagement.earn.rules import next_time
from app.engagement.sharing.actions import follow
from app.foundation.actors import SYSTEM
from app.foundation.database import transaction
from app.foundation.terms import change
from app.identity.members.actions import save_address, update_profile
from app.identity.members.queries import member_by_id
from app.loyalty.earning.jobs import reward_special_days
from app.loyalty.earning.terms import EarningTerms
from tests.cast import sign_in
from tests.community.quizzes.making import answer, make_quiz
from tests.conftest import NOON
from tests.engagement.home.test_page import queries_of
from tests.factories import buy

MOST_QUERIES = 12
WEEK = timedelta(days=7)
HOME = {"recipient": "Alice Lin", "phone": "13800138000", "region": "Shanghai", "city": "Shanghai", "line": "88 Road"}


def rules(**values):
    with transaction():
        change(EarningTerms, values, by=SYSTEM, now=NOON)


@pytest.fixture
def look(client, alice):
    """The page's lines, each as one text: ``look("Share what you like")``."""
    sign_in(client, alice)

    def read(title):
        page = client.get("/earn")
        assert page.status_code == 200
        rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in page.text.split("<li>")]
        return next((row for row in rows if row.startswith(title)), None)

    return read


def test_what_is_open_says_so_with_rule_cap_and_where_to_go(client, alice, look):
    assert "Open today" in look("Check in every day")
    sharing = look("Share what you like")
    assert "you get 30 points" in sharing
    assert "At most 30 points a day" in sharing
    page = client.get("/earn").text
    for url in ("/check-in", "/share", "/referrals", "/mall", "/me/profile"):
        assert f'href="{url}"' in page


def test_what_is_done_says_so(alice, look):
    with transaction():
        check_in(member_id=alice.id, now=NOON)
    with transaction():
        follow(member_id=alice.id, thing="programme", about="x", device="d", visitor_id=None, now=NOON)
    with transaction():
        member = member_by_id(alice.id)
        update_profile(member, name="Alice", gender="", birth_date=date(1990, 6, 15), now=NOON)
        save_address(member, **HOME, now=NOON)
    reward_special_days(now=NOON)
    assert "Done today: 1 day in a row" in look("Check in every day")
    assert "30 of 30 today" in look("Share what you like")
    assert "Done" in look("Complete your profile")
    assert "On Jun 15, 2026" in look("Your birthday")


def test_a_profile_shows_how_far_it_is_and_leads_to_the_next_piece(client, look):
    assert "2 of 4" in look("Complete your profile")
    assert "We do not know it yet" in look("Your birthday")


def test_what_pays_nothing_is_not_mentioned(alice, look):
    rules(rewards={})
    assert look("Share what you like") is None
    assert look("Your birthday") is None
    assert look("Come to an event") is None
    assert look("Shop and dine") is not None


def test_what_no_feature_offers_yet_is_not_promised(client, look):
    assert look("Come to an event") is not None  # A colleague can record it.
    assert "draw" not in client.get("/earn").text.lower()


def test_campaigns_say_when_and_bonuses_how_far(alice, unit, look):
    rules(
        campaigns=[
            {"code": "spring", "name": {"en": "Double week"}, "times": "2", "starts": "2026-06-10T00:00",
             "ends": "2026-06-18T00:00"},
            {"code": "later", "name": {"en": "Triple day"}, "times": "3", "starts": "2026-07-01T10:00"},
            {"code": "over", "name": {"en": "Old times"}, "times": "3", "unit": "mall", "ends": "2026-06-15T12:00"},
        ],
        bonuses=[{"code": "third", "name": {"en": "Third time lucky"}, "nth": 3, "period": "month", "points": 50,
                  "at_least": 1000}],
        milestones=[{"code": "club", "name": {"en": "Club of 500"}, "earn": 500, "period": "month", "points": 40}],
    )  # fmt: skip
    buy(alice.id, 10_000, unit=unit)
    assert "Now, to the end of Wed, Jun 17" in look("Double week")
    assert "From Wed, Jul 1 10:00" in look("Triple day")
    assert look("Old times") is None
    bonus = look("Third time lucky")
    assert "Purchase number 3 of a month brings 50 points more." in bonus
    assert "1 of 3" in bonus
    assert "¥10 or more" in bonus
    assert "220 of 500" in look("Club of 500")


def test_quizzes_stand_there_open_and_answered(alice, look):
    quiz = make_quiz(needed=1)
    make_quiz("next", opens_at=NOON + WEEK, closes_at=None)
    make_quiz("draft", published=False, opens_at=NOON - WEEK)
    assert "Answer 1 question right, and get 10 points." in look("All about tea")
    answer(quiz, alice.id, 1, 0)
    assert "Done: 2 of 2 right" in look("All about tea")


def test_it_takes_a_dozen_queries_however_much_there_is(client, alice, unit, look):
    """Milestones, which few programmes have, take three more for each kind of period."""
    rules(
        caps={"day": 1000},
        bonuses=[{"code": "third", "name": {"en": "x"}, "nth": 3, "period": "month", "points": 50}],
    )
    for number in range(3):
        make_quiz(f"tea-{number}")
        buy(alice.id, 1000, unit=unit, order_no=f"N{number}")
    client.get("/earn")
    seen = queries_of(lambda: client.get("/earn"))
    assert len(seen) <= MOST_QUERIES, "\n".join(seen)


def test_it_is_the_members_own(client):
    assert client.get("/earn").location == "/session?next=/earn"


@pytest.mark.parametrize(
    ("first", "after", "coming"),
    [
        (date(1990, 6, 15), date(2026, 6, 15), date(2026, 6, 15)),
        (date(1990, 6, 15), date(2026, 6, 16), date(2027, 6, 15)),
        (date(1992, 2, 29), date(2026, 1, 1), date(2026, 2, 28)),
        (date(1992, 2, 29), date(2027, 3, 1), date(2028, 2, 29)),
        (date(2026, 6, 15), date(2026, 6, 15), date(2027, 6, 15)),
    ],
)
def test_when_a_day_comes_again(first, after, coming):
    assert next_time(first, after=after) == coming
