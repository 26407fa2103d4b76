"""The member's tier page and the public page of the programme."""

from __future__ import annotations

import pytest

from app.foundation.database import transaction
from app.loyalty.tiers.actions import install_defaults
from tests.cast import make_unit, sign_in
from tests.factories import buy


@pytest.fixture
def ladder(app):
    with transaction():
        install_defaults()


def text(response):
    assert response.status_code == 200
    return " ".join(response.get_data(as_text=True).split())


def test_a_visitor_of_the_tier_page_is_asked_to_sign_in(client):
    assert client.get("/tiers").status_code == 302


def test_a_member_sees_what_is_missing(client, alice):
    buy(alice.id, 238_00, unit=make_unit())
    page = text(sign_in(client, alice).get("/tiers"))
    assert "On the way to Silver" in page
    assert "¥262 to go" in page
    assert "242 points to go" in page  # The 20 points of joining count as earned.
    assert "You are here" in page


def test_a_member_reads_how_they_got_here(client, alice):
    buy(alice.id, 6_000_00, unit=make_unit())
    page = text(sign_in(client, alice).get("/tiers"))
    assert "You reached Gold" in page
    assert "You joined as Regular" in page


def test_who_stands_at_the_top_is_thanked(client, alice):
    buy(alice.id, 20_000_00, unit=make_unit())
    page = text(sign_in(client, alice).get("/tiers"))
    assert "Nothing is above you" in page
    assert "On the way to" not in page


def test_a_member_sees_nothing_of_another(client, alice, bob):
    buy(bob.id, 6_000_00, unit=make_unit())
    assert "You reached Gold" not in text(sign_in(client, alice).get("/tiers"))


def test_a_visitor_reads_how_the_programme_works_and_may_join(client, ladder):
    page = text(client.get("/programme"))
    assert "Join now and get 20 points" in page
    assert "Diamond" in page
    assert "1 point per" in page
    assert "You are here" not in page


def test_a_member_finds_themselves_on_the_ladder_and_is_not_asked_to_join(client, alice):
    page = text(sign_in(client, alice).get("/programme"))
    assert "You are here" in page
    assert "Join now" not in page


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW"])
def test_tiers_have_names_in_every_language(client, ladder, language):
    page = text(client.get("/programme", headers={"Accept-Language": language}))
    assert ("钻石" if language == "zh-CN" else "鑽石") in page
