"""The member's page, the page that an invitation leads to, and joining by it."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from app.engagement.referrals import posters
from app.engagement.referrals.models import KnownDevice
from app.foundation import clock
from app.foundation.database import db
from app.identity.invitations import COOKIE, DEVICE
from app.identity.members.queries import find_by_ref
from tests.cast import sign_in
from tests.conftest import NOON
from tests.engagement.referrals.circle import DAY, LATER, code_of, join_by, referral_of, settle, spend, standing, terms
from tests.identity.mailbox import code_for
from tests.identity.test_registration import confirm, fill


def shown_code(client) -> str:
    found = re.search(r"/r/(\w+)", client.get("/registration").text)
    field = re.search(r'name="invite_code"[^>]*value="(\w*)"', client.get("/registration").text)
    assert found is None
    assert field
    return field[1]


# --- the member's page ----------------------------------------------------------------------


def test_the_first_visit_makes_the_code_and_shows_it_in_every_way(client, alice):
    page = sign_in(client, alice).get("/referrals")
    code = code_of(alice)
    assert f"{code[:3]} {code[3:]}" in page.text
    assert f'value="http://127.0.0.1:8000/r/{code}" readonly' in page.text
    assert "Nobody yet" in page.text
    assert "100 points for you" in page.text


def test_the_link_stands_on_the_shops_own_address_whoever_asks(client, alice):
    page = sign_in(client, alice).get("/referrals", headers={"Host": "evil.example"})
    assert "evil.example/r/" not in page.text


def test_every_friend_is_shown_with_how_far_they_have_come(client, alice, unit):
    terms(monthly_cap=1)
    friends = {
        name: join_by(alice, name) for name in ("Fresh One", "Halfway Two", "Waiting Three", "Paid Four", "Quick Five")
    }
    for name, amount in {"Halfway Two": 6_000, "Paid Four": 10_000, "Quick Five": 10_000}.items():
        spend(friends[name], amount, unit=unit)
    spend(friends["Waiting Three"], 10_000, unit=unit, at=LATER - DAY)
    settle()
    with clock.freeze(LATER):
        page = sign_in(client, alice).get("/referrals").text
    assert "50 %" in page
    assert "Enough has been spent." in page
    assert "+100" in page
    assert "This month’s limit was reached." in page
    assert "22 days left to shop." in page
    assert "1 of 1" in page


def test_the_inviter_sees_neither_names_nor_amounts_nor_reasons(client, alice, unit):
    carol = join_by(alice, "Carol Ng", email="carol@example.com", device="tablet")
    spend(carol, 6_543, unit=unit)
    join_by(alice, "Dave Ho", device="tablet")
    page = sign_in(client, alice).get("/referrals").text
    assert "C**" in page
    assert "D**" in page
    for secret in ("Carol", "Dave", "Ng", "carol@example.com", "65.43", "device"):
        assert secret not in page.split("<main", 1)[1].split("</main", 1)[0]


def test_who_came_by_invitation_sees_what_is_still_to_do(app, alice, unit):
    carol = join_by(alice)
    client = sign_in(app.test_client(), carol)
    assert "Spend ¥100 by Jul 15, 2026, and 50 points are yours." in client.get("/referrals").text
    spend(carol, 6_543, unit=unit)
    assert "¥65.43 / ¥100" in client.get("/referrals").text
    spend(carol, 6_543, unit=unit)
    assert "Done! 50 points are yours" in client.get("/referrals").text
    settle()
    assert "You came by invitation" not in client.get("/referrals").text
    assert "You came by invitation" not in sign_in(app.test_client(), alice).get("/referrals").text


def test_who_was_refused_is_promised_nothing(app, alice):
    join_by(alice, device="tablet")
    dave = join_by(alice, device="tablet")
    assert "You came by invitation" not in sign_in(app.test_client(), dave).get("/referrals").text


def test_nobody_sees_anybody_elses_friends(app, alice, bob, unit):
    join_by(alice, "Xenia Secret")
    page = sign_in(app.test_client(), bob).get("/referrals").text
    assert "X**" not in page
    assert code_of(alice)[:3] + " " not in page
    with_cursor = sign_in(app.test_client(), bob).get("/referrals?after=WzEwMF0").text
    assert "X**" not in with_cursor


def test_a_long_list_goes_on(client, alice):
    for number in range(22):
        join_by(alice, f"{chr(65 + number)}friend")
    first = sign_in(client, alice).get("/referrals").text
    rest = client.get(re.search(r'href="(/referrals\?after=[^"]+)"', first)[1]).text
    assert "V**" in first
    assert "A**" not in first
    assert "A**" in rest


@pytest.mark.parametrize("locale", ["en", "zh_Hans", "zh_Hant"])
def test_the_poster_is_a_picture_to_save(client, alice, locale):
    client.set_cookie("language", locale)
    answer = sign_in(client, alice).get("/referrals/poster")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, max-age=3600"
    if answer.mimetype == "image/png":
        assert Image.open(BytesIO(answer.data)).size == (1080, 1440)
    else:
        assert b"<svg" in answer.data


def test_without_a_font_that_has_all_signs_the_poster_is_drawn_by_the_reader(app, monkeypatch):
    monkeypatch.setattr(posters, "_fonts", lambda _locale: ("",))
    words = {"programme": "Jifen", "headline": "Alice <b>", "promise": "50", "code": "K7M 2PQX", "call": "Scan"}
    plain = posters.draw(posters.Words(**words), url="https://example.com/r/K7M2PQX", locale="en")
    chinese = posters.draw(
        posters.Words(**words | {"call": "扫码加入"}), url="https://example.com/r/K", locale="zh_Hans"
    )
    assert (plain.mimetype, chinese.mimetype) == ("image/png", "image/svg+xml")
    assert "扫码加入".encode() in chinese.data
    assert b"Alice &lt;b&gt;" in chinese.data
    assert b"style=" not in chinese.data


def test_the_qr_picture_keeps_to_the_strict_policy(client, alice):
    picture = sign_in(client, alice).get("/referrals/code.svg")
    assert picture.mimetype == "image/svg+xml"
    assert b"style" not in picture.data


# --- the invitation -------------------------------------------------------------------------


def test_an_invitation_names_who_invites_and_what_there_is_to_get(client, alice):
    page = client.get(f"/r/{code_of(alice)}").text
    assert "Alice invites you to Jifen" in page
    assert "Lin" not in page
    assert "Once you have spent ¥100 within 30 days." in page
    assert "+50" in page


def test_a_link_with_a_slip_in_it_is_not_known_and_leads_to_joining_all_the_same(client, alice):
    answer = client.get("/r/NOPE")
    assert answer.status_code == 404
    assert "/registration" in answer.text
    assert client.get_cookie(COOKIE) is None


def test_members_are_not_invited_once_more(app, alice, bob):
    code = code_of(alice)
    theirs = sign_in(app.test_client(), bob)
    assert "You are a member already" in theirs.get(f"/r/{code}").text
    assert theirs.get_cookie(COOKIE) is None
    assert sign_in(app.test_client(), alice).get(f"/r/{code}").location == "/referrals"


def test_the_link_is_remembered_through_the_mailed_code(client, alice):
    client.get(f"/r/{code_of(alice)}")
    remembered = shown_code(client)
    assert remembered == code_of(alice)
    fill(client, invite_code=remembered)
    confirm(client, code_for("carol@example.com"))
    carol = find_by_ref("carol@example.com")
    assert referral_of(carol).inviter_id == alice.id
    assert client.get_cookie(COOKIE) is None


@pytest.mark.parametrize(("days", "kept"), [(30, True), (31, False)])
def test_the_link_is_remembered_for_thirty_days(client, alice, days, kept):
    client.get(f"/r/{code_of(alice)}")
    with clock.freeze(NOON + timedelta(days=days)):
        assert bool(shown_code(client)) is kept


def test_nobody_writes_an_invitation_by_hand(client, alice):
    client.set_cookie(COOKIE, f'{{"c":"{code_of(alice)}","d":30,"at":0}}')
    assert shown_code(client) == ""


def test_the_latest_invitation_counts(client, alice, bob):
    client.get(f"/r/{code_of(alice)}")
    client.get(f"/r/{code_of(bob)}")
    assert shown_code(client) == code_of(bob)


@pytest.mark.parametrize("form", [str.lower, lambda code: f" {code[:3]}-{code[3:]} "])
def test_a_code_may_be_typed_instead(client, alice, form):
    assert fill(client, invite_code=form(code_of(alice))).status_code == 303
    confirm(client, code_for("carol@example.com"))
    assert standing(find_by_ref("carol@example.com")) == ("joined", None)


def test_a_code_that_nobody_has_is_answered_beside_its_field(client, alice):
    for typed in ("NOPE", "ZZZZZZZ", "x" * 10_000, "' OR 1=1 --"):
        answer = fill(client, invite_code=typed)
        assert answer.status_code == 422
        assert "field-error" in answer.text


def test_without_a_code_people_join_as_ever(client, alice):
    fill(client, invite_code="")
    confirm(client, code_for("carol@example.com"))
    assert standing(find_by_ref("carol@example.com")) is None


def test_joining_once_more_from_the_browser_in_which_one_looks_after_ones_friends(client, alice):
    sign_in(client, alice).get("/referrals")
    client.post("/session/end")
    with client.session_transaction() as session:
        session.clear()
    fill(client, invite_code=code_of(alice))
    confirm(client, code_for("carol@example.com"))
    assert standing(find_by_ref("carol@example.com")) == ("refused", "device")


def test_a_device_is_kept_as_a_hash_only(client, alice):
    sign_in(client, alice).get("/referrals")
    client.get("/referrals")
    (kept,) = db.session.query(KnownDevice.device).all()
    assert client.get_cookie(DEVICE).value not in kept[0]


def test_the_way_to_the_page_stands_on_the_home_page_and_in_the_programme(client, alice):
    assert "When your friend joins and spends ¥100 with us." in client.get("/programme").text
    assert 'href="/referrals"' in sign_in(client, alice).get("/").text
