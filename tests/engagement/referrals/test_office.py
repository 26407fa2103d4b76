"""The office sees who brought whom, and why something was refused."""

from __future__ import annotations

import pytest

from tests.cast import sign_in
from tests.engagement.referrals.circle import join_by, settle, spend
from tests.publishing import publish


@pytest.fixture
def office(client, alice, bob, agent, unit):
    spend(join_by(alice, "Paid One"), 10_000, unit=unit)
    join_by(alice, "Device Two", device="tablet")
    join_by(alice, "Device Three", device="tablet")
    join_by(bob, "Other Four")
    settle()
    return sign_in(client, agent)


def names(page: str) -> set[str]:
    return {name for name in ("Paid One", "Device Two", "Device Three", "Other Four") if name in page}


def test_all_referrals_with_their_reasons(office, alice):
    page = office.get("/backoffice/referrals").text
    assert len(names(page)) == 4
    assert "Same device" in page
    assert "3 friends, 1 refused" in page
    assert "+100 / +50" in page
    assert f"/backoffice/members/{alice.code}" in page


FILTERS = {
    "state=refused": {"Device Three"},
    "state=rewarded": {"Paid One"},
    "reason=device": {"Device Three"},
    "reason=cap": set(),
    "q=bob@example.com": {"Other Four"},
    "q=Device Two": {"Device Two"},
    "state=nonsense&reason=nonsense": {"Paid One", "Device Two", "Device Three", "Other Four"},
    "q=nobody at all": set(),
}


def test_filters(office):
    assert {query: names(office.get(f"/backoffice/referrals?{query}").text) for query in FILTERS} == FILTERS


def test_an_empty_list_says_what_will_stand_there(client, agent):
    assert "No referrals yet" in sign_in(client, agent).get("/backoffice/referrals").text


def test_merchants_have_no_business_here(client, merchant):
    assert sign_in(client, merchant).get("/backoffice/referrals").status_code == 403


def test_the_owner_changes_what_an_invitation_pays(client, owner, alice):
    sign_in(client, owner)
    form = {
        "inviter_points": 80,
        "friend_points": 0,
        "least_spend": 200,
        "within_days": 14,
        "wait_days": 0,
        "monthly_cap": 5,
        "link_days": 30,
    }
    assert client.post("/backoffice/terms/referrals", data=form | {"least_spend": 0}).status_code == 422
    assert client.post("/backoffice/terms/referrals", data=form).status_code == 303
    assert publish(client, "referrals").status_code == 303
    client.post("/backoffice/session/end")
    page = sign_in(client.application.test_client(), alice).get("/referrals").text
    assert "80 points for you" in page
    assert "For at least ¥200 in the first 14 days" in page
