from __future__ import annotations

import pytest

from app.foundation.database import db, transaction
from app.identity.members import actions
from app.identity.members.actions import AddressBookFull, add_address
from app.identity.members.models import Member
from app.identity.members.queries import addresses_of, default_address
from tests.cast import sign_in
from tests.conftest import NOON

HOME = {
    "recipient": "Alice Lin",
    "phone": "+8613800138000",
    "region": "Shanghai",
    "city": "Shanghai",
    "line": "1 Bund",
    "postcode": "200000",
}


def remember(member, **changes):
    with transaction():
        return add_address(db.session.get_one(Member, member.id), **(HOME | changes), now=NOON).id


def book_of(member):
    db.session.rollback()
    return [(each.line, each.is_default) for each in addresses_of(member.id)]


def test_the_first_is_the_default_and_the_same_again_is_the_same(alice):
    first = remember(alice)
    assert remember(alice) == first
    remember(alice, line="2 Bund")
    assert book_of(alice) == [("1 Bund", True), ("2 Bund", False)]


def test_the_pages_list_add_change_choose_and_remove(client, alice):
    browser = sign_in(client, alice)
    assert "No addresses yet" in browser.get("/me/addresses").text
    for line in ("1 Bund", "2 Bund"):
        assert browser.post("/me/addresses", data=HOME | {"line": line}).status_code == 303
    first, second = (each.id for each in addresses_of(alice.id))
    assert "2 Bund" in browser.get(f"/me/addresses/{second}").text
    browser.post(f"/me/addresses/{second}", data=HOME | {"line": "3 Bund"})
    browser.post(f"/me/addresses/{second}/default")
    assert book_of(alice) == [("3 Bund", True), ("1 Bund", False)]
    browser.post(f"/me/addresses/{second}/removal")
    assert book_of(alice) == [("1 Bund", True)]
    assert default_address(alice.id).id == first


def test_an_address_that_lacks_something_is_refused_and_kept_as_typed(client, alice):
    answer = sign_in(client, alice).post("/me/addresses", data=HOME | {"line": "", "city": "Suzhou"})
    assert answer.status_code == 422
    assert "Suzhou" in answer.text
    assert book_of(alice) == []


@pytest.mark.parametrize("verb", ["", "/removal", "/default"])
def test_other_people_s_addresses_are_not_there(client, alice, mallory, verb):
    theirs = remember(mallory)
    browser = sign_in(client, alice)
    assert browser.get(f"/me/addresses/{theirs}").status_code == 404
    assert browser.post(f"/me/addresses/{theirs}{verb}", data=HOME | {"line": "stolen"}).status_code == 404
    assert browser.post(f"/me/addresses/{9 * 10**30}{verb}").status_code == 404
    assert book_of(mallory) == [("1 Bund", True)]


def test_the_book_has_an_end(alice, monkeypatch):
    monkeypatch.setattr(actions, "MOST_ADDRESSES", 2)
    for line in ("1 Bund", "2 Bund"):
        remember(alice, line=line)
    with pytest.raises(AddressBookFull):
        remember(alice, line="3 Bund")
    assert len(book_of(alice)) == 2
