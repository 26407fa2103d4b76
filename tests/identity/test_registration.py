"""Joining: fresh, imported and taken contacts look the same to whoever cannot read the mailbox."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.identity.members.actions import ContactTaken, create_unclaimed, register
from app.identity.members.jobs import forget_registrations
from app.identity.members.models import Member, Registration
from app.identity.members.queries import find_by_ref
from tests.cast import PASSWORD
from tests.conftest import NOON
from tests.identity.mailbox import code_for, letters


def fill(client, contact="carol@example.com", name="Carol", password=PASSWORD, **more):
    return client.post("/registration", data={"contact": contact, "name": name, "password": password, **more})


def confirm(client, code):
    return client.post("/registration/confirmation", data={"code": code})


def without_token(text: str) -> str:
    return re.sub(r"[\w-]+\.[\w-]+\.[\w-]+", "", text)


def members() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Member))


def test_the_code_from_the_mail_makes_a_member_who_is_signed_in(client):
    assert fill(client).location == "/registration/confirmation"
    assert members() == 0
    assert confirm(client, code_for("carol@example.com")).location == "/"
    carol = find_by_ref("carol@example.com")
    assert carol.name == "Carol"
    assert carol.claimed_at == NOON
    assert client.get("/me").status_code == 200


def test_after_joining_people_come_back_to_where_they_were(client):
    fill(client, next="/mall?category=tea")
    assert confirm(client, code_for("carol@example.com")).location == "/mall?category=tea"


@pytest.mark.parametrize("typed", ["138 0013 8000", "+86 138-0013-8000", "１３８００１３８０００"])
def test_a_phone_is_proven_by_text_message(client, typed):
    fill(client, contact=typed)
    confirm(client, code_for("+8613800138000", "sms"))
    assert find_by_ref("13800138000").phone == "+8613800138000"
    assert letters() == []


def test_without_text_messages_every_phone_gets_the_same_frank_answer(client, alice, monkeypatch):
    monkeypatch.setattr("app.foundation.sms.available", lambda: False)
    fresh, taken = fill(client, contact="13900139000"), fill(client, contact="13800138000")
    assert fresh.status_code == taken.status_code == 422
    assert b"cannot send text messages" in fresh.data
    assert fresh.data.replace(b"13900139000", b"") == taken.data.replace(b"13800138000", b"")
    assert letters() == letters(channel="sms") == []


def test_nobody_learns_whether_a_contact_is_known(app, alice):
    with transaction():
        create_unclaimed(["dave1@example.com"], now=NOON)
    pages = []
    for contact in ("alice@example.com", "carol@example.com", "dave1@example.com"):
        client = app.test_client()
        answer = fill(client, contact=contact)
        wrong = confirm(client, "000000x")
        page = client.get("/registration/confirmation")
        pages.append(
            (answer.status_code, answer.location, wrong.status_code, without_token(page.text).replace(contact, "@"))
        )
    assert pages[0] == pages[1] == pages[2]


def test_the_owner_of_a_taken_contact_is_told_and_keeps_everything(client, alice):
    before = alice.password_hash
    fill(client, contact="Alice@Example.com", name="Mallory")
    letter = letters("alice@example.com")[-1]["text"]
    assert "You are a member already" in letter
    assert "code" not in letter
    for guess in ("000000", "123456"):
        assert confirm(client, guess).status_code == 422
    assert client.get("/me").status_code == 302
    db.session.expire_all()
    assert (alice.password_hash, alice.name, members()) == (before, "Alice Lin", 1)


def test_an_imported_member_is_claimed_by_proving_the_contact(client):
    with transaction():
        ids = create_unclaimed(["dave@example.com"], now=NOON)
    fill(client, contact="dave@example.com", name="Dave")
    assert find_by_ref("dave@example.com").claimed_at is None
    confirm(client, code_for("dave@example.com"))
    dave = find_by_ref("dave@example.com")
    assert (dave.id, dave.name, dave.claimed_at) == (ids["dave@example.com"], "Dave", NOON)
    assert members() == 1


def test_five_wrong_codes_are_enough(client):
    fill(client)
    right = code_for("carol@example.com")
    for _ in range(4):
        assert confirm(client, "000000x").status_code == 422
    assert confirm(client, "000000x").location == "/registration"
    assert confirm(client, right).location == "/registration"
    assert members() == 0


def test_a_code_is_good_for_a_quarter_of_an_hour(client):
    fill(client)
    code = code_for("carol@example.com")
    with clock.freeze(NOON.replace(minute=16)):
        assert confirm(client, code).location == "/registration"
    assert members() == 0


def test_a_code_works_only_in_the_browser_that_asked_for_it(app, client):
    fill(client)
    stranger = app.test_client()
    fill(stranger, contact="mallory@example.com")
    assert confirm(stranger, code_for("carol@example.com")).status_code == 422
    assert confirm(app.test_client(), code_for("carol@example.com")).location == "/registration"
    assert members() == 0


def test_the_newest_code_counts(client):
    fill(client)
    first = code_for("carol@example.com")
    client.post("/registration/message")
    second = code_for("carol@example.com")
    assert len(letters("carol@example.com")) == 2
    if first != second:
        assert confirm(client, first).status_code == 422
    assert confirm(client, second).location == "/"


def test_three_messages_and_no_more(client):
    fill(client)
    for _ in range(5):
        client.post("/registration/message")
    assert len(letters("carol@example.com")) == 3


def test_two_who_prove_the_same_contact_become_one_member(app):
    browsers = [app.test_client() for _ in range(2)]
    codes = []
    for browser in browsers:
        fill(browser)
        codes.append(code_for("carol@example.com"))
    answers = [confirm(browser, code) for browser, code in zip(browsers, codes, strict=True)]
    assert answers[0].location == "/"
    assert answers[1].status_code in (303, 409)
    assert members() == 1


def test_two_registrations_at_once_make_one_member(app):
    """The constraint decides: the second gets a sentence, and nothing of its transaction stays."""
    with transaction():
        register(email="eve@example.com", password=PASSWORD, now=NOON)
    with pytest.raises(ContactTaken, match="sign in"), transaction():
        register(email="EVE@example.com", password=PASSWORD, now=NOON)
    assert members() == 1


def test_unfinished_registrations_are_forgotten(client):
    fill(client)
    assert forget_registrations(now=NOON.replace(minute=10)) == 0
    assert forget_registrations(now=NOON.replace(minute=20)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Registration)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact", ""),
        ("contact", "carol"),
        ("contact", "carol@"),
        ("contact", "a" * 10_000 + "@example.com"),
        ("contact", "12345"),
        ("contact", "9" * 10_000),
        ("contact", "<script>@example.com"),
        ("name", ""),
        ("name", "x" * 10_000),
        ("password", "short"),
        ("password", "password1"),
        ("password", "12345678"),
        ("password", "aaaaaaaaaa"),
        ("password", "Carol2026"),
        ("password", "x" * 10_000),
    ],
)
def test_nonsense_is_answered_beside_its_field(client, field, value):
    answer = fill(client, **{field: value})
    assert answer.status_code == 422
    assert b"field-error" in answer.data
    assert letters() == []


def test_a_nul_byte_is_refused_before_anything_reads_it(client):
    assert fill(client, name="Ca\0rol").status_code == 400
    assert client.get("/session?next=%00").status_code == 400
    assert client.get("/password/%00").status_code == 400


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("👩‍👩‍👧 李雷", "👩‍👩‍👧 李雷"),
        ("\u202eadmin", "admin"),
        ("  Carol\t\n  Ng ", "Carol Ng"),
        ("מיכל", "מיכל"),
        ("<b>Carol</b>", "<b>Carol</b>"),
    ],
)
def test_names_keep_what_is_a_name(client, typed, kept):
    fill(client, name=typed)
    confirm(client, code_for("carol@example.com"))
    assert find_by_ref("carol@example.com").name == kept
    assert b"<b>Carol</b>" not in client.get("/me").data


def test_a_member_has_no_need_to_join(client, alice):
    from tests.cast import sign_in

    assert sign_in(client, alice).get("/registration").location == "/"


def test_without_a_mail_server_the_page_shows_the_message_in_development_only(app, client):
    fill(client)
    assert code_for("carol@example.com").encode() not in client.get("/registration/confirmation").data
    app.config["SHOW_MESSAGES"] = True
    try:
        assert code_for("carol@example.com").encode() in client.get("/registration/confirmation").data
    finally:
        del app.config["SHOW_MESSAGES"]
