"""Forgotten and changed passwords; another email or phone."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.outbox import OutboxMessage, deliver_due
from app.identity.members.actions import create_unclaimed, update_profile
from app.identity.members.queries import find_by_ref
from tests.cast import PASSWORD, sign_in
from tests.conftest import NOON
from tests.identity.mailbox import letters, link_for

NEW = "seven paper lanterns"


def ask(client, contact="alice@example.com"):
    return client.post("/password", data={"contact": contact})


def choose(client, link, password=NEW, again=None):
    return client.post(link, data={"password": password, "again": again or password})


def works(app, password, contact="alice@example.com") -> bool:
    answer = app.test_client().post("/session", data={"contact": contact, "password": password})
    return bool(answer.status_code == 303)


def test_a_link_sets_a_new_password_and_signs_out_everybody_else(app, client, alice):
    elsewhere = sign_in(app.test_client(), alice)
    ask(client)
    assert choose(client, link_for("alice@example.com")).location == "/"
    assert client.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 302
    assert (works(app, NEW), works(app, PASSWORD)) == (True, False)


def test_a_link_leads_to_the_shop_whatever_host_was_asked(client, alice):
    client.post("/password", data={"contact": "alice@example.com"}, headers={"Host": "evil.example"})
    letter = letters("alice@example.com")[-1]["text"]
    assert "evil.example" not in letter
    assert "http://127.0.0.1:8000/password/" in letter


def test_a_link_works_once(app, client, alice):
    ask(client)
    link = link_for("alice@example.com")
    choose(client, link)
    assert choose(app.test_client(), link, "another good phrase").status_code == 410
    assert app.test_client().get(link).status_code == 410
    assert works(app, NEW)


def test_an_older_link_dies_with_the_newer_ones_use(app, client, alice):
    ask(client)
    older = link_for("alice@example.com")
    ask(client)
    choose(client, link_for("alice@example.com"))
    assert choose(app.test_client(), older, "another good phrase").status_code == 410


def test_a_link_works_for_an_hour(client, alice):
    ask(client)
    link = link_for("alice@example.com")
    with clock.freeze(NOON.replace(hour=5, minute=1)):
        assert choose(client, link).status_code == 410
    with clock.freeze(NOON.replace(minute=59)):
        assert choose(client, link).location == "/"


@pytest.mark.parametrize("token", ["x", "eyJtIjoxfQ.abc", "%F0%9F%98%80", "a" * 5000])
def test_a_link_that_we_did_not_sign_opens_nothing(client, alice, token):
    assert client.get(f"/password/{token}").status_code == 410
    assert choose(client, f"/password/{token}").status_code == 410


def test_a_link_for_one_purpose_is_no_good_for_another(client, alice):
    sign_in(client, alice).post("/me/contact", data={"contact": "new@example.com", "password": PASSWORD})
    token = link_for("new@example.com").rpartition("/")[2]
    assert client.get(f"/password/{token}").status_code == 410


def test_asking_gives_no_hint_whether_an_account_exists(client, alice):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)
    contacts = ("alice@example.com", "nobody@example.com", "dave@example.com", "13800138000", "13900139000")
    answers = [ask(client, contact) for contact in contacts]
    assert {(answer.status_code, answer.location) for answer in answers} == {(303, "/password/sent")}
    assert letters("nobody@example.com") == []
    assert letters("+13900139000", "sms") == []


def test_asking_for_a_stranger_does_the_same_work_and_keeps_nothing_of_them(client, alice):
    ask(client)
    ask(client, "nobody@example.com")
    known, unknown = db.session.scalars(sa.select(OutboxMessage).order_by(OutboxMessage.id))
    assert (known.channel, unknown.channel) == ("mail", "nobody")
    assert "nobody@example.com" not in str(unknown.payload)
    assert "/password/" not in str(unknown.payload)


def test_messages_leave_the_house_and_those_to_nobody_are_thrown_away(client, alice, capsys):
    ask(client)
    ask(client, "nobody@example.com")
    assert deliver_due(now=NOON) == 2
    printed = capsys.readouterr().out
    assert "To: alice@example.com" in printed
    assert "nobody" not in printed


def test_an_imported_member_claims_the_membership_by_the_link(app, client):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)
    ask(client, "dave@example.com")
    choose(client, link_for("dave@example.com"))
    assert find_by_ref("dave@example.com").claimed_at == NOON
    assert works(app, NEW, "dave@example.com")


@pytest.mark.parametrize(
    ("password", "again"), [("short", None), ("password", None), (NEW, "other"), ("x" * 9999, None)]
)
def test_a_poor_new_password_is_refused_and_the_link_still_works(client, alice, password, again):
    ask(client)
    link = link_for("alice@example.com")
    assert choose(client, link, password, again).status_code == 422
    assert choose(client, link).location == "/"


def test_changing_the_password_needs_the_present_one(app, client, alice):
    elsewhere = sign_in(app.test_client(), alice)
    sign_in(client, alice)
    form = {"present": "wrong", "password": NEW, "again": NEW}
    assert client.post("/me/password", data=form).status_code == 422
    assert elsewhere.get("/me").status_code == 200
    assert client.post("/me/password", data=form | {"present": PASSWORD}).location == "/me"
    assert client.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 302
    assert works(app, NEW)


# --- another email or phone ---------------------------------------------------------------


def want(client, contact, password=PASSWORD):
    return client.post("/me/contact", data={"contact": contact, "password": password})


def test_a_new_email_counts_once_its_link_was_opened_and_confirmed(client, alice):
    sign_in(client, alice)
    want(client, "Alice.Lin@example.com")
    link = link_for("alice.lin@example.com")
    client.get(link)
    db.session.expire_all()
    assert alice.email == "alice@example.com"
    assert client.post(link).location == "/me"
    db.session.expire_all()
    assert alice.email == "alice.lin@example.com"


def test_a_new_contact_needs_the_password(client, alice):
    assert want(sign_in(client, alice), "new@example.com", "wrong").status_code == 422
    assert letters() == []


def test_wanting_somebody_elses_contact_looks_like_wanting_a_free_one(app, alice, bob):
    client = sign_in(app.test_client(), alice)
    free, taken = want(client, "free@example.com"), want(client, "bob@example.com")
    assert (free.status_code, free.location) == (taken.status_code, taken.location)
    assert "nothing was changed" in letters("bob@example.com")[-1]["text"]
    db.session.expire_all()
    assert bob.email == "bob@example.com"


def test_a_link_for_another_member_is_no_good(app, alice, mallory):
    want(sign_in(app.test_client(), alice), "new@example.com")
    link = link_for("new@example.com")
    client = sign_in(app.test_client(), mallory)
    assert client.get(link).status_code == 409
    client.post(link)
    db.session.expire_all()
    assert mallory.email == "mallory@example.com"


def test_a_contact_that_was_taken_meanwhile_is_a_clear_answer(app, alice, bob):
    links = []
    for person in (alice, bob):
        want(sign_in(app.test_client(), person), "shared@example.com")
        links.append(link_for("shared@example.com"))
    assert sign_in(app.test_client(), alice).post(links[0]).location == "/me"
    late = sign_in(app.test_client(), bob)
    late.post(links[1])
    assert "already belongs" in late.get("/me").text
    db.session.expire_all()
    assert (alice.email, bob.email) == ("shared@example.com", "bob@example.com")


def test_the_old_link_is_void_after_signing_out_everywhere(client, alice):
    sign_in(client, alice)
    want(client, "new@example.com")
    client.post("/me/sessions/end")
    db.session.expire_all()
    assert sign_in(client, alice).post(link_for("new@example.com")).status_code in (303, 409)
    db.session.expire_all()
    assert alice.email == "alice@example.com"


def test_a_profile_does_not_forget_its_name(app, alice):
    with transaction():
        update_profile(alice, name="  Alice\u202e  Lin ", gender="female", birth_date=None, now=NOON)
    assert (alice.name, alice.gender) == ("Alice Lin", "female")
