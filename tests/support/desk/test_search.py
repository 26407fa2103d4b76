"""One box finds a member, whatever the caller has at hand."""

from __future__ import annotations

import pytest

from app.foundation.database import db, transaction
from app.identity.members.models import Member
from tests.cast import join, sign_in
from tests.conftest import NOON

URL = "/backoffice/members"


@pytest.mark.parametrize("text", ["alice@example.com", " ALICE@Example.com ", "138 0013 8000", "+8613800138000"])
def test_a_phone_or_an_email_opens_the_member_at_once(desk, alice, bob, text):
    answer = desk.get(URL, query_string={"q": text})
    assert answer.status_code == 302
    assert answer.location == f"{URL}/{alice.code}"


def test_a_member_code_opens_the_member_however_it_is_read_out(desk, alice):
    spoken = f"{alice.code[:4].lower()}-{alice.code[4:]}"
    assert desk.get(URL, query_string={"q": spoken}).location == f"{URL}/{alice.code}"


def test_a_part_of_a_name_lists_those_it_fits_and_nobody_else(desk, alice, bob):
    join("lina@example.com", "Lina Berg")
    text = desk.get(URL, query_string={"q": "Lin"}).text
    assert "Alice Lin" in text
    assert "Lina Berg" in text
    assert "Bob Chen" not in text


def test_nobody_found_says_what_to_try_next(desk, alice):
    text = desk.get(URL, query_string={"q": "zebra"}).text
    assert "Nobody found" in text
    assert "Alice Lin" not in text


def test_absurd_searches_find_nobody_and_break_nothing(desk, alice):
    for text in ["%", "_", "' OR 1=1 --", "１３８", "x" * 5000, "+" * 60, "\u202e", "🎉", "@", "1e400"]:
        answer = desk.get(URL, query_string={"q": text})
        assert answer.status_code == 200, text
        assert "Nobody found" in answer.text, text


def test_without_a_search_the_newest_members_come_page_by_page(desk):
    with transaction():
        db.session.add_all([Member(code=f"MEMBER{n:03}", name=f"Nr {n:03}", created_at=NOON) for n in range(60)])
    seen, url = [], URL
    for _ in range(3):
        text = desk.get(url).text
        seen += [n for n in range(59, -1, -1) if f"Nr {n:03}" in text]
        after = text.partition('rel="next" href="')[2].partition('"')[0]
        url = after.replace("&amp;", "&")
    assert seen == list(range(59, -1, -1))
    assert url == ""


def test_an_absurd_page_is_the_first(desk, alice):
    for after in ["x", "-1", "9" * 40]:
        answer = desk.get(URL, query_string={"after": after})
        assert answer.status_code == 200
        assert "Alice Lin" in answer.text


def test_a_code_that_does_not_exist_is_not_found(desk):
    for code in ["NOBODY12", "..", "é", "x" * 300]:
        assert desk.get(f"{URL}/{code}").status_code == 404, code


def test_auditors_and_owners_may_look_merchants_and_members_may_not(client, alice, auditor, owner, merchant):
    for person, status in ((auditor, 200), (owner, 200), (merchant, 403), (alice, 403)):
        sign_in(client, person)
        assert client.get(f"{URL}/{alice.code}").status_code == status
        assert client.get(URL).status_code == status


def test_visitors_are_sent_to_the_staff_door(client, alice):
    assert "/backoffice/session" in client.get(f"{URL}/{alice.code}").location
