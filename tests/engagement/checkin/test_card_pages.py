"""The pages of a make-up card: the calendar offers it, a page shows it in figures, a button buys it."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.engagement.checkin.actions import check_in
from app.engagement.checkin.models import CheckIn
from app.engagement.checkin.terms import CheckinTerms
from app.foundation import clock, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.models import Member
from app.loyalty.ledger.models import Wallet
from app.loyalty.ledger.queries import standing
from tests.cast import sign_in
from tests.conftest import NOON
from tests.factories import make_member
from tests.publishing import publish

DAY = timedelta(days=1)
NEW = "/check-in/cards/new?day=2026-06-{}"


@pytest.fixture
def carol(app):
    """A member since June 5 with 1,200 points, who came by on June 10, 11 and 13, 14."""
    member = make_member(name="Carol", at=NOON - 10 * DAY, points=1_200)
    for day in (10, 11, 13, 14):
        with transaction():
            check_in(member_id=member, now=NOON.replace(day=day))
    return db.session.get(Member, member)


@pytest.fixture
def carols(client, carol):
    return sign_in(client, carol)


def set_terms(**values):
    with transaction():
        terms.change(CheckinTerms, values, by=SYSTEM, now=NOON)


def cards():
    return db.session.scalar(sa.select(sa.func.count()).where(CheckIn.card.is_not(None)))


def available(member):
    return int(standing(member.id, now=NOON).available)


def buy(client, day="2026-06-12", price="50", **fields):
    return client.post("/check-in/cards", data={"day": day, "price": price, **fields})


def offered(text):
    return re.findall(r"/check-in/cards/new\?day=2026-06-([0-9]+)", text)


def test_the_calendar_offers_the_missed_days_of_this_month_since_joining(carols):
    text = carols.get("/check-in").text
    assert offered(text) == ["05", "06", "07", "08", "09", "12"]
    assert "June 12, 2026: missed, make up for it" in text
    assert "2 of 2 make-up cards left" in text


def test_the_page_shows_price_balance_and_streak_before_anything_is_paid(carols, carol):
    text = carols.get(NEW.format(12)).text
    for figure in ("1,220", "−50", "1,170", "Make-up card 1 of 2 this month", "Make up for 50 points"):
        assert figure in text, figure
    assert re.findall(r'<dd class="figure">([0-9]+)</dd>', text) == ["2", "5"]
    assert (available(carol), cards()) == (1_220, 0)


def test_the_button_makes_up_the_day_and_says_so(carols, carol):
    answer = buy(carols)
    assert (answer.status_code, answer.location) == (303, "/check-in")
    text = carols.get("/check-in").text
    assert "June 12, 2026 is made up. Your streak is 5 days now." in text
    assert "June 12, 2026: made up with a card" in text
    assert "1 of 2 make-up cards left" in text
    assert available(carol) == 1_170


def test_a_double_click_pays_once(carols, carol):
    assert [buy(carols).status_code for _ in range(2)] == [303, 303]
    assert (available(carol), cards()) == (1_170, 1)
    assert "You have June 12, 2026 already" in carols.get("/check-in").text


def test_when_all_cards_are_used_the_calendar_offers_no_more(carols, carol):
    buy(carols)
    buy(carols, "2026-06-09")
    text = carols.get("/check-in").text
    assert offered(text) == []
    assert "0 of 2 make-up cards left" in text
    assert buy(carols, "2026-06-08").location == "/check-in"
    assert "all 2 make-up cards of this month" in carols.get("/check-in").text
    assert (available(carol), cards()) == (1_120, 2)


def test_an_earlier_month_offers_nothing(client, carol):
    with clock.freeze(NOON + 30 * DAY):
        text = sign_in(client, carol).get("/check-in?month=2026-06").text
        assert offered(text) == []
        assert "make-up cards left" not in text


def test_a_card_that_does_not_join_the_days_says_so(carols):
    assert "your present streak stays the same" in carols.get(NEW.format("08")).text


def test_it_says_when_the_longer_streak_has_its_bonus_behind_it(client, carol):
    """Six days in a row, so that today is bonus day; with June 12 it would be day 9, and pay less."""
    set_terms(rewards="5 5 10")
    text = sign_in(client, carol).get(NEW.format(12)).text
    assert "As day 6 in a row" not in text  # 10 with and without the card
    set_terms(rewards="5 5 10 5 5 5")
    assert (
        "As day 6 in a row, today’s check-in pays 5 points; without the card it pays 10."
        in client.get(NEW.format(12)).text
    )


@pytest.mark.parametrize(
    ("day", "reason"),
    [("15", "Only days that are over"), ("16", "Only days that are over"), ("04", "You joined on Jun 5, 2026")],
)
def test_days_without_a_card_lead_back_with_the_reason(carols, day, reason):
    answer = carols.get(NEW.format(day))
    assert (answer.status_code, answer.location) == (303, "/check-in")
    assert reason in carols.get("/check-in").text


@pytest.mark.parametrize("day", ["", "12", "2026-6-12", "2026-02-30", "2026-13-01", "x", "２０２６-06-12", "20260612"])
def test_what_is_no_day_is_not_found(carols, day):
    assert carols.get("/check-in/cards/new", query_string={"day": day}).status_code == 404
    assert buy(carols, day).status_code == 404


def test_too_few_points_say_what_is_missing_and_how_to_get_it(client):
    poor = db.session.get(Member, make_member(name="Dan", at=NOON - 10 * DAY, points=20))
    sign_in(client, poor)
    text = client.get(NEW.format(12)).text
    assert "30 points are missing" in text
    assert "How to earn points" in text
    assert "Make up for 50 points" not in text
    assert buy(client).status_code == 409
    assert (available(poor), cards()) == (20, 0)


def test_a_frozen_account_is_told_so(carols, carol):
    with transaction():
        db.session.execute(sa.update(Wallet).where(Wallet.member_id == carol.id).values(frozen_at=NOON))
    text = carols.get(NEW.format(12)).text
    assert "This account is frozen" in text
    assert "Make up for 50 points" not in text
    answer = buy(carols)
    assert answer.status_code == 409
    assert "This account is frozen" in answer.text
    assert cards() == 0


@pytest.mark.parametrize("price", ["50", "0", "", "-1", "free", "٥٠"])
def test_another_price_than_the_one_in_force_asks_again(carols, carol, price):
    set_terms(card_price=60)
    answer = buy(carols, price=price)
    assert answer.status_code == 409
    assert "A make-up card costs 60 points now" in answer.text
    assert "Make up for 60 points" in answer.text
    assert (available(carol), cards()) == (1_220, 0)


def test_somebody_else_cannot_be_made_up_for(carols, carol, bob):
    buy(carols, member_id=str(bob.id))
    assert db.session.scalars(sa.select(CheckIn.member_id).where(CheckIn.card.is_not(None))).all() == [carol.id]


def test_a_programme_without_cards_says_nothing_about_them(carols):
    set_terms(cards_a_month=0)
    text = carols.get("/check-in").text
    assert offered(text) == []
    assert "make-up" not in text


@pytest.mark.parametrize(
    ("rewards", "sentence"),
    [
        ("5 five 5", "whole numbers with spaces between them"),
        ("0 5", "between 1 and 10000 points"),
        ("5 " * 32, "between 1 and 31 days"),
    ],
)
def test_the_owner_edits_the_table_and_nonsense_is_explained(client, owner, rewards, sentence):
    sign_in(client, owner)
    form = asdict(terms.current(CheckinTerms))
    answer = client.post("/backoffice/terms/checkin", data=form | {"rewards": rewards})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert client.post("/backoffice/terms/checkin", data=form | {"rewards": "3 3 9"}).status_code == 303
    assert publish(client, "checkin").status_code == 303
    with client.application.app_context():  # Afresh, as in another request.
        assert terms.current(CheckinTerms).table == (3, 3, 9)


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_it_speaks_the_members_language(carols, language):
    assert carols.get(NEW.format(12), headers={"Accept-Language": language}).status_code == 200
