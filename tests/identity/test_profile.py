"""The member's own page, address, code."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest
import sqlalchemy as sa

from app.foundation.database import db
from app.identity.members.models import Address
from app.identity.members.queries import default_address
from tests.cast import sign_in

ADDRESS = {
    "recipient": "Alice Lin",
    "phone": "13800138000",
    "region": "Shanghai",
    "city": "Shanghai",
    "line": "88 Century Avenue",
    "postcode": "200120",
}


def test_the_page_shows_what_is_theirs_and_nobody_elses(client, alice, bob):
    page = sign_in(client, alice).get("/me").text
    assert "alice@example.com" in page
    assert bob.email not in page
    assert bob.code not in page.replace(" ", "")


def test_the_code_is_a_picture_without_styles(client, alice):
    answer = sign_in(client, alice).get("/me/code.svg")
    assert answer.mimetype == "image/svg+xml"
    assert "no-store" in answer.headers["Cache-Control"]
    assert not any(
        "style" in node.attrib or node.tag.endswith("style") for node in ElementTree.fromstring(answer.data).iter()
    )


def test_a_profile_is_edited(client, alice):
    form = {"name": "李雷", "gender": "male", "birth_date": "1990-02-28"}
    assert sign_in(client, alice).post("/me/profile", data=form).location == "/me"
    db.session.expire_all()
    assert (alice.name, alice.gender, alice.birth_date) == ("李雷", "male", date(1990, 2, 28))


@pytest.mark.parametrize(
    "form",
    [
        {"name": ""},
        {"name": "\u202e"},
        {"name": "x" * 10_000},
        {"gender": "robot"},
        {"birth_date": "1899-12-31"},
        {"birth_date": "2026-06-16"},
        {"birth_date": "0000-00-00"},
        {"birth_date": "99999-01-01"},
        {"birth_date": "tomorrow"},
    ],
)
def test_nonsense_changes_nothing(client, alice, form):
    answer = sign_in(client, alice).post("/me/profile", data={"name": "Alice", "gender": "", "birth_date": ""} | form)
    assert answer.status_code == 422
    db.session.expire_all()
    assert (alice.name, alice.gender, alice.birth_date) == ("Alice Lin", "", None)


def test_there_is_one_default_address(client, alice):
    sign_in(client, alice)
    client.post("/me/address", data=ADDRESS)
    assert client.post("/me/address", data=ADDRESS | {"line": "1 Bund"}).location == "/me"
    db.session.expire_all()
    assert default_address(alice.id).line == "1 Bund"
    assert default_address(alice.id).phone == "+8613800138000"
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Address)) == 1


def test_a_checkout_gets_its_member_back(client, alice):
    sign_in(client, alice)
    assert b'value="/mall/tea"' in client.get("/me/address?next=/mall/tea").data
    assert client.post("/me/address", data=ADDRESS | {"next": "/mall/tea"}).location == "/mall/tea"
    assert client.post("/me/address", data=ADDRESS | {"next": "//evil.example"}).location == "/me"


@pytest.mark.parametrize(
    "form", [{"line": ""}, {"phone": "123"}, {"city": " "}, {"line": "x" * 10_000}, {"postcode": "9" * 99}]
)
def test_half_an_address_is_not_kept(client, alice, form):
    assert sign_in(client, alice).post("/me/address", data=ADDRESS | form).status_code == 422
    assert default_address(alice.id) is None


def test_mallory_sees_and_changes_only_her_own(app, alice, mallory):
    sign_in(app.test_client(), alice).post("/me/address", data=ADDRESS)
    client = sign_in(app.test_client(), mallory)
    client.post("/me/address", data=ADDRESS | {"line": "Mallory Lane", "member_id": alice.id, "id": 1})
    client.post("/me/profile", data={"name": "Mallory", "gender": "", "id": alice.id, "code": "M123"})
    db.session.expire_all()
    assert default_address(alice.id).line == "88 Century Avenue"
    assert (alice.name, mallory.name) == ("Alice Lin", "Mallory")
