"""The member's own switch, on its page and among the other settings."""

from __future__ import annotations

import pytest

from app.engagement.reminders.queries import wants_reminders
from app.engagement.reminders.terms import ReminderTerms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.identity.members.models import Member
from tests.cast import sign_in
from tests.conftest import NOON


@pytest.fixture
def phone(client, alice):
    return sign_in(client, alice)


def wanted(member):
    db.session.rollback()
    db.session.expire_all()
    return wants_reminders(member.id)


def test_everybody_is_reminded_until_they_switch_it_off(phone, alice, bob):
    assert "We write to alice@example.com 30 days before you lose 50 points or more." in phone.get("/me/reminders").text
    for _ in range(2):
        answer = phone.post("/me/reminders", data={"wanted": "no"})
        assert (answer.status_code, answer.location) == (303, "/me/reminders")
        assert not wanted(alice)
    assert wanted(bob)
    assert "Remind me</button>" in phone.get("/me/reminders").text
    for _ in range(2):
        phone.post("/me/reminders", data={"wanted": "yes"})
        assert wanted(alice)


def test_nonsense_changes_nothing(phone, alice):
    assert phone.post("/me/reminders", data={"wanted": "perhaps"}).status_code == 400
    assert phone.post("/me/reminders").status_code == 400
    assert wanted(alice)


def test_the_profile_shows_the_switch_itself(phone):
    assert 'href="/me/reminders"' in phone.get("/me").text
    part = phone.get("/me/reminders", headers={"HX-Request": "true", "HX-Target": "expiry-switch"}).text
    assert "No more reminders</button>" in part
    assert "<html" not in part


def test_without_an_address_the_page_says_what_to_do(phone, alice):
    with transaction():
        db.session.get(Member, alice.id).email = None
    assert 'href="/me/contact' in phone.get("/me/reminders").text


def test_the_page_does_not_promise_what_the_owner_switched_off(phone):
    with transaction():
        change(ReminderTerms, {"active": False}, by=SYSTEM, now=NOON)
    text = phone.get("/me/reminders").text
    assert "At the moment nobody is reminded." in text
    assert "We write to" not in text
