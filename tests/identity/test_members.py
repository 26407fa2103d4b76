"""Refs, finding, creating in bulk."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.foundation import events
from app.foundation.database import db, transaction
from app.foundation.errors import InvalidInput
from app.identity.members.actions import create_unclaimed, register
from app.identity.members.events import MemberJoined, MembersCreated
from app.identity.members.models import Member
from app.identity.members.queries import find_by_ref, find_by_refs, member_by_code, normalise_ref, search
from app.identity.names import new_code
from app.identity.passwords import is_common
from tests.cast import PASSWORD
from tests.conftest import NOON


@pytest.fixture
def news(monkeypatch):
    heard = []
    for event in (MembersCreated, MemberJoined):
        monkeypatch.setitem(events._handlers, event, [*events._handlers[event], heard.append])
    return heard


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Alice@Example.COM ", "alice@example.com"),
        ("ａlice＠example.com", "alice@example.com"),
        ("138 0013 8000", "+8613800138000"),
        ("+1 650-253-0000", "+16502530000"),
        ("m7k2-9qxw", "M7K29QXW"),
        ("CUST0001", "CUST0001"),
    ],
)
def test_a_ref_has_one_form(app, typed, kept):
    assert normalise_ref(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", " ", "@", "a@b", "123", "+", "x" * 10_000, "1" * 10_000, "\0", "💥", "a@b@c.com"]
)
def test_what_is_no_ref_is_refused_with_a_sentence(app, typed):
    with pytest.raises(InvalidInput, match=r"\w{3}"):
        normalise_ref(typed)


def test_codes_are_told_apart_from_phones(app):
    for _ in range(200):
        code = new_code()
        assert normalise_ref(code.lower()) == code


def test_registering_is_told_to_the_floors_above(app, news):
    with transaction():
        carol = register(email="Carol@example.com", phone="138 0013 8000", password=PASSWORD, name="Carol", now=NOON)
    assert news == [MembersCreated((carol.id,), NOON), MemberJoined(carol.id, NOON)]
    assert (carol.email, carol.phone) == ("carol@example.com", "+8613800138000")


def test_registering_never_takes_over_an_imported_member(app):
    with transaction():
        create_unclaimed(["dave@example.com"], now=NOON)
    with pytest.raises(InvalidInput), transaction():
        register(password=PASSWORD, now=NOON)
    with pytest.raises(Exception, match="sign in"), transaction():
        register(email="dave@example.com", password=PASSWORD, now=NOON)
    assert find_by_ref("dave@example.com").claimed_at is None


def test_imports_create_what_is_missing_and_find_the_rest(app, alice, news):
    refs = ["ALICE@example.com", "dave@example.com", "Dave@Example.com", "13900139000", "CUST0001", "nonsense"]
    with transaction():
        first = create_unclaimed(refs, now=NOON)
    assert first["ALICE@example.com"] == alice.id
    assert first["dave@example.com"] == first["Dave@Example.com"]
    assert "nonsense" not in first
    assert len(set(first.values())) == 4
    [created] = news
    assert set(created.member_ids) == set(first.values()) - {alice.id}
    with transaction():
        assert create_unclaimed(refs, now=NOON) == first
    assert len(news) == 1
    assert find_by_refs(refs) == first
    assert member_by_code("cust-0001").id == first["CUST0001"]


def test_ten_thousand_members_in_a_few_statements(app):
    refs = [f"guest{n}@example.com" for n in range(10_000)]
    statements = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call[2][:20]))
    with transaction():
        ids = create_unclaimed(refs, now=NOON)
    assert len(ids) == len(set(ids.values())) == 10_000
    assert len([statement for statement in statements if statement.startswith("INSERT INTO member")]) < 30


@pytest.mark.parametrize(
    "words", ["alice", "Alice", "LIN", "alice@example.com", "13800138000", "0013800", "+86 138 0013 8000"]
)
def test_agents_find_a_member_by_what_they_know(app, alice, bob, words):
    assert search(words) == [alice]


def test_searching_for_a_wildcard_finds_nobody(app, alice):
    for words in ("%", "_", "%%%", "", "\\", "'; DROP TABLE member"):
        assert search(words) == []
    assert search(alice.code.lower())[0] == alice
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Member)) == 1


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password123!",
        "qwertyuiop",
        "87654321",
        "11111111",
        "abcabcabc",
        "woaini1314",
        "20001231",
        "zyxwvuts",
    ],
)
def test_what_everybody_guesses_first(password):
    assert is_common(password)


@pytest.mark.parametrize(
    "password", ["demo-jifen", "three green kettles", "纸灯笼七个小朋友", "x7$kQp!92m", "correct horse"]
)
def test_what_nobody_guesses_first(password):
    assert not is_common(password)
