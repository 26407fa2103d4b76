"""The member's tier page and the public page of the programme."""

from __future__ import annotations

import pytest

from app.foundation import clock
from app.foundation.database import transaction
from app.loyalty.tiers.actions import install_defaults
from tests.cast import make_unit, sign_in
from tests.factories import buy
from tests.loyalty.tiers.climbing import on, put_on, review, tier


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


# --- what keeps the tier ----------------------------------------------------------------------


def silver_since_spring(member_id):
    put_on("silver", member_id, since=on(2025, 4, 10))


def test_a_member_reads_what_is_missing_to_keep_the_tier(client, alice):
    silver_since_spring(alice.id)
    buy(alice.id, 150_00, unit=make_unit(), at=on(2026, 5, 10))
    page = text(sign_in(client, alice).get("/tiers"))
    assert "What keeps Silver" in page
    assert "Silver is yours until the review on Jul 3, 2026. Fill the bars by Jun 30, 2026" in page
    assert "The review on Jul 3, 2026 looks at April 2026 to June 2026. All bars must be full." in page
    assert "¥150 / ¥200" in page
    assert "130 points to go" in page  # 150 of the purchase and the 20 of joining, of 300.


def test_who_has_done_enough_reads_until_when(client, alice):
    silver_since_spring(alice.id)
    buy(alice.id, 300_00, unit=make_unit(), at=on(2026, 5, 10))
    page = text(sign_in(client, alice).get("/tiers"))
    assert "You have done enough: Silver is yours until at least Sep 3, 2026." in page  # May leaves the window then.
    assert "Fill the bars" not in page


def test_a_new_tier_is_safe_for_a_full_window(client, alice):
    buy(alice.id, 600_00, unit=make_unit())
    assert "Silver is yours until at least Oct 3, 2026, when it is reviewed for the first time." in text(
        sign_in(client, alice).get("/tiers")
    )


def test_between_the_months_end_and_the_review_it_is_said_plainly(client, alice):
    silver_since_spring(alice.id)
    with clock.freeze(on(2026, 6, 2)):
        page = text(sign_in(client, alice).get("/tiers"))
    assert "On Jun 3, 2026 your tier goes one step down, if nothing more is reported to us." in page


def test_the_first_step_has_nothing_to_keep(client, alice):
    assert "What keeps" not in text(sign_in(client, alice).get("/tiers"))


def test_a_downgrade_is_told_with_its_figures(client, alice):
    silver_since_spring(alice.id)
    buy(alice.id, 150_00, unit=make_unit(), at=on(2026, 4, 10))
    review(on(2026, 6, 3))
    page = text(sign_in(client, alice).get("/tiers"))
    assert "You are now Regular" in page
    assert "Money spent, best month: ¥150 of ¥200 · Points earned in all: 150 of 300" in page
    assert "Counted anew from Jun 1, 2026" in page


def test_every_tier_says_how_it_is_kept(client, ladder):
    page = text(client.get("/programme"))
    assert "To keep it, in the last 3 full months:" in page
    assert "Spend ¥200 in at least 1 month" in page
    assert "Earn 300 points in all" in page


# --- the office -------------------------------------------------------------------------------


def given(alice, **changes):
    return {"tier": "gold", "last_day": "2026-08-31", "reason": "Sponsor of the spring fair"} | changes


def test_the_office_sees_the_ladder_its_members_and_the_reviews(client, alice, auditor):
    review(on(2026, 6, 3))
    page = text(sign_in(client, auditor).get("/backoffice/tiers"))
    assert "Members by tier" in page
    assert "Jun 2026" in page
    assert "No member has a tier by hand" in page


def test_an_empty_ladder_says_when_it_comes(client, owner):
    assert "There is no ladder yet" in text(sign_in(client, owner).get("/backoffice/tiers"))


def test_an_agent_gives_a_tier_and_the_member_reads_of_it(client, alice, agent):
    desk = sign_in(client, agent)
    assert f"/members/{alice.code}/tier" in text(desk.get(f"/backoffice/members/{alice.code}"))
    answer = desk.post(f"/backoffice/members/{alice.code}/tier", data=given(alice))
    assert answer.status_code == 303
    assert tier(alice.id) == "gold"
    assert "Sponsor of the spring fair" in text(desk.get(f"/backoffice/members/{alice.code}/tier"))
    page = text(sign_in(client, alice).get("/tiers"))
    assert "Our team gave you Gold until Aug 31, 2026." in page
    assert "Sponsor" not in page


def test_and_ends_it(client, alice, agent):
    desk = sign_in(client, agent)
    desk.post(f"/backoffice/members/{alice.code}/tier", data=given(alice))
    for _ in range(2):
        assert desk.post(f"/backoffice/members/{alice.code}/tier/ending").status_code == 303
    assert tier(alice.id) == "regular"


@pytest.mark.parametrize(
    "wrong", [{"reason": " "}, {"last_day": ""}, {"last_day": "2026-01-01"}, {"tier": "regular"}, {"last_day": "soon"}]
)
def test_what_makes_no_sense_comes_back_with_its_form(client, alice, agent, wrong):
    answer = sign_in(client, agent).post(f"/backoffice/members/{alice.code}/tier", data=given(alice, **wrong))
    assert answer.status_code == 422
    assert tier(alice.id) == "regular"


@pytest.mark.parametrize("path", ["tier", "tier/ending"])
def test_who_may_only_look_gives_nothing(client, alice, auditor, path):
    page = sign_in(client, auditor)
    assert page.post(f"/backoffice/members/{alice.code}/{path}", data=given(alice)).status_code == 403
    assert f"/members/{alice.code}/tier" not in text(page.get(f"/backoffice/members/{alice.code}"))
