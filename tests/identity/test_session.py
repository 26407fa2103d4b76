"""Signing in and out: no hint whether an account exists, no way out to another site, no session after its end."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from app import create_app
from app.config import Settings
from app.extensions import limiter
from app.foundation.database import db, transaction
from app.identity.members.actions import create_unclaimed, sign_out_everywhere
from tests.cast import PASSWORD, sign_in, timeless
from tests.conftest import NOON, Browser


def enter(client, contact="alice@example.com", password=PASSWORD, **more):
    return client.post("/session", data={"contact": contact, "password": password, **more})


@pytest.mark.parametrize("contact", ["alice@example.com", " ALICE@example.com ", "13800138000", "+86 138 0013 8000"])
def test_members_sign_in_with_email_or_phone_however_typed(client, alice, contact):
    assert enter(client, contact).location == "/"
    assert client.get("/me").status_code == 200


def test_no_hint_whether_an_account_exists(client, alice):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)
    answers = {
        contact: enter(client, contact, "wrong password")
        for contact in ("alice@example.com", "nobody@example.com", "dave@example.com", "nonsense", alice.code)
    }
    pages = {(a.status_code, timeless(a.data).replace(c.encode(), b"")) for c, a in answers.items()}
    assert len(pages) == 1
    assert pages.pop()[0] == 422


def test_an_unknown_account_costs_a_password_check_too(client, alice, monkeypatch):
    checked = []
    view = import_module("app.identity.members.views.session")
    monkeypatch.setattr(view, "password_matches", lambda hashed, _typed: checked.append(hashed) or False)
    enter(client, "nobody@example.com")
    enter(client)
    assert checked == [None, alice.password_hash]


def test_an_imported_member_has_no_password_that_fits(client):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)
    for password in ("", "None", "no such account"):
        assert enter(client, "dave@example.com", password).status_code == 422


def test_signing_out_ends_the_session_and_the_remembered_one(client, alice):
    enter(client, remember="y")
    client.post("/session/end")
    assert client.get("/me").status_code == 302


@pytest.mark.parametrize("remember", ["y", ""])
def test_signing_out_everywhere_ends_every_session(app, alice, remember):
    phone, laptop = app.test_client(), app.test_client()
    for browser in (phone, laptop):
        enter(browser, remember=remember)
    phone.post("/me/sessions/end")
    assert phone.get("/me").status_code == laptop.get("/me").status_code == 302


def test_a_remembered_member_comes_back_without_a_session(client, alice):
    enter(client, remember="y")
    client.delete_cookie("session")
    assert client.get("/me").status_code == 200
    with transaction():
        sign_out_everywhere(alice, now=NOON)
    client.delete_cookie("session")
    assert client.get("/me").status_code == 302


def test_without_the_checkbox_nothing_is_remembered(client, alice):
    enter(client)
    client.delete_cookie("session")
    assert client.get("/me").status_code == 302


def test_cookies_are_out_of_reach_for_scripts_and_other_sites(client, alice):
    cookies = enter(client, remember="y").headers.getlist("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"session", "remember_token"}
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    remembered = next(cookie for cookie in cookies if cookie.startswith("remember_token"))
    assert "Expires=" in remembered


@pytest.mark.parametrize(
    "name",
    [
        "",
        "member",
        "member:",
        "member:1",
        "member:x:0",
        "member:1:99",
        "staff:1:0",
        "admin:1:0",
        "member:-1:0",
        f"member:{10**30}:0",
        "member:1:0:0",
    ],
)
def test_a_session_with_a_name_that_does_not_exist_is_a_visitors(client, alice, name):
    with client.session_transaction() as session:
        session["_user_id"] = name
    assert client.get("/me").status_code == 302


def test_a_session_planted_before_signing_in_is_worth_nothing(client, alice):
    with client.session_transaction() as session:
        session["registration"] = {"token": "planted"}
    enter(client)
    with client.session_transaction() as session:
        assert "registration" not in session


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        "///evil.example",
    ],
)
def test_signing_in_never_leads_to_another_site(client, alice, target):
    assert enter(client, next=target).location == "/"
    assert client.get("/session", query_string={"next": target}).location == "/"
    assert client.post("/preferences/language", data={"locale": "en", "next": target}).location == "/"


def test_people_come_back_to_the_page_they_wanted(client, alice):
    wanted = client.get("/me/address?next=/mall")
    assert wanted.location == "/session?next=/me/address?next%3D/mall"
    page = client.get(wanted.location)
    assert b'value="/me/address?next=/mall"' in page.data
    assert enter(client, next="/me/address?next=/mall").location == "/me/address?next=/mall"


def test_after_an_expired_session_a_form_leads_back_to_its_page(client, alice):
    answer = client.post("/me/profile", data={"name": "X"}, headers={"Referer": "http://localhost/me/profile"})
    assert answer.location == "/session?next=/me/profile#kept"
    db.session.expire_all()
    assert alice.name == "Alice Lin"
    away = client.post("/me/profile", headers={"Referer": "https://evil.example/me"})
    assert away.location == "/session"


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(client):
    answer = client.get("/me", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/session?next=/me")


def test_a_member_may_not_enter_the_back_office_and_a_colleague_not_the_portal(app, alice, owner):
    refused = sign_in(app.test_client(), alice).get("/backoffice/")
    assert refused.status_code == 403
    assert 'href="/backoffice/session"' in refused.text
    assert sign_in(app.test_client(), owner).get("/me").status_code == 403


@pytest.mark.parametrize("locale", ["zh_Hans", "zh_Hant", "en"])
def test_the_chosen_language_stays_with_visitor_member_and_colleague(app, alice, owner, locale):
    for person in (None, alice, owner):
        client = app.test_client()
        if person:
            sign_in(client, person)
        client.post("/preferences/language", data={"locale": locale})
        assert f'lang="{locale.replace("_", "-")}"'.encode() in client.get("/password").data.partition(b">")[2][:60]
        if person:
            db.session.expire_all()
            assert person.locale == locale


def test_a_language_that_we_do_not_speak_changes_nothing(client, alice):
    assert sign_in(client, alice).post("/preferences/language", data={"locale": "xx"}).status_code == 400
    db.session.expire_all()
    assert alice.locale is None


# --- with the protections that other tests switch off -------------------------------------


@pytest.fixture
def guarded(app, backend, tmp_path):
    """A second application on the same database, with CSRF protection and rate limits as in production."""
    settings = Settings(
        environment="testing",
        instance_path=tmp_path,
        database_url=backend.url,
        cheap_passwords=True,
        extra={"RATELIMIT_ENABLED": True},
    )
    made = create_app(settings)
    made.test_client_class = Browser
    limiter.reset()
    yield made
    limiter.enabled = False
    with made.app_context():
        db.engine.dispose()


def token_of(client, url):
    return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(url).text)[1]


def test_guessing_a_password_is_stopped_and_the_right_one_waits_too(guarded, alice):
    client = guarded.test_client()
    token = token_of(client, "/session")
    answers = [enter(client, password=f"guess {n}", csrf_token=token).status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    stopped = enter(client, "ALICE@example.com", csrf_token=token)
    assert stopped.status_code == 429
    assert "Retry-After" in stopped.headers
    assert enter(client, "bob@example.com", csrf_token=token).status_code == 422  # Others are not locked out.


def test_an_unknown_account_is_limited_just_the_same(guarded, app):
    client = guarded.test_client()
    token = token_of(client, "/session")
    answers = [enter(client, "nobody@example.com", csrf_token=token).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_guesses_at_a_colleagues_password_count_whatever_else_the_form_says(guarded, owner):
    client = guarded.test_client()
    form = {"email": "owner@example.com", "csrf_token": token_of(client, "/backoffice/session")}
    guesses = [form | {"password": f"guess {n}", "contact": f"nobody{n}@example.com"} for n in range(11)]
    answers = [client.post("/backoffice/session", data=guess).status_code for guess in guesses]
    assert answers == [422] * 10 + [429]


def test_signing_in_correctly_is_never_counted_as_guessing(guarded, alice):
    for _ in range(12):
        client = guarded.test_client()
        assert enter(client, csrf_token=token_of(client, "/session")).status_code == 303


def test_nobodys_mailbox_is_flooded(guarded, alice):
    client = guarded.test_client()
    token = token_of(client, "/password")
    sent = [
        client.post("/password", data={"contact": "alice@example.com", "csrf_token": token}).status_code
        for _ in range(5)
    ]
    assert sent == [303] * 4 + [429]


def test_invitation_codes_cannot_be_tried_out_without_end(guarded, app):
    client = guarded.test_client()
    form = {
        "contact": "eve@example.com",
        "password": "three green kettles",
        "csrf_token": token_of(client, "/registration"),
    }
    guesses = [form | {"invite_code": f"BCDFG{n}"} for n in range(22, 83)]
    answers = [client.post("/registration", data=guess).status_code for guess in guesses]
    assert answers == [422] * 60 + [429]


def test_a_form_without_its_token_does_nothing(guarded, alice):
    client = guarded.test_client()
    assert enter(client).status_code == 400
    sign_in(client, alice)
    forged = client.post("/me/profile", data={"name": "Mallory"}, headers={"Referer": "http://localhost/me/profile"})
    assert forged.location == "/me/profile#kept"
    assert "Nothing was changed" in client.get("/me/profile").text
    db.session.expire_all()
    assert alice.name == "Alice Lin"
    token = token_of(client, "/me/profile")
    assert client.post("/me/profile", data={"name": "Alice", "gender": "", "csrf_token": token}).location == "/me"
