"""Who tells us all that we ask for is thanked once, in the moment in which the last piece comes."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.identity.members.actions import change_contact, create_unclaimed, register, save_address, update_profile
from app.identity.members.models import Address
from app.identity.members.queries import member_by_id, profile_complete
from app.identity.members.terms import ProfileTerms
from app.identity.names import contact_of
from app.loyalty.earning.models import Rewarded
from app.loyalty.ledger.models import Transfer
from tests.cast import PASSWORD, sign_in
from tests.conftest import NOON

BORN = date(1990, 5, 4)
HOME = {"recipient": "Alice Lin", "phone": "13800138000", "region": "Shanghai", "city": "Shanghai", "line": "88 Road"}


def tell(member, *, birth_date=BORN, name="Alice Lin", gender=""):
    with transaction():
        update_profile(member_by_id(member.id), name=name, gender=gender, birth_date=birth_date, now=NOON)


def live(member, **fields):
    with transaction():
        save_address(member_by_id(member.id), **(HOME | fields), now=NOON)


def thanks(member):
    """The points that came for the profile, in the books."""
    return list(
        db.session.scalars(sa.select(Transfer.amount).where(Transfer.key == f"reward:profile:{member.id}:profile"))
    )


def test_the_last_piece_brings_thirty_points(alice):
    tell(alice)
    assert thanks(alice) == []
    live(alice)
    assert thanks(alice) == [30]


def test_the_pieces_may_come_in_any_order(alice):
    live(alice)
    assert thanks(alice) == []
    tell(alice)
    assert thanks(alice) == [30]


def test_emptying_and_filling_again_gives_nothing_again(alice):
    tell(alice)
    live(alice)
    tell(alice, birth_date=None)
    tell(alice)
    live(alice, city="Suzhou")
    assert thanks(alice) == [30]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Rewarded).where(Rewarded.kind == "profile")) == 1


def test_what_is_refused_completes_nothing(alice):
    live(alice)
    with pytest.raises(Exception, match="call you"):
        tell(alice, name=" ")
    assert thanks(alice) == []


def test_a_gender_is_asked_for_only_where_the_owner_wants_it(alice):
    with transaction():
        change(ProfileTerms, {"gender": True, "address": False}, by=SYSTEM, now=NOON)
    tell(alice)
    assert thanks(alice) == []
    tell(alice, gender="other")
    assert thanks(alice) == [30]


def test_a_second_contact_may_be_what_is_missing(bob):
    with transaction():
        change(ProfileTerms, {"both_contacts": True, "address": False}, by=SYSTEM, now=NOON)
    tell(bob, name="Bob")
    assert thanks(bob) == []
    with transaction():
        change_contact(member_by_id(bob.id), contact=contact_of("+8613900139000"), now=NOON)
    assert thanks(bob) == [30]


def test_where_no_more_is_asked_than_joining_brings_it_comes_right_after_it(app):
    with transaction():
        change(ProfileTerms, {"birth_date": False, "address": False}, by=SYSTEM, now=NOON)
    with transaction():
        carol = register(email="carol@example.com", password=PASSWORD, name="Carol", now=NOON)
    assert thanks(carol) == [30]


def test_an_imported_member_is_no_person_yet(app):
    with transaction():
        change(ProfileTerms, {"birth_date": False, "address": False}, by=SYSTEM, now=NOON)
        ids = create_unclaimed(["dora@example.com"], now=NOON)
    dora = member_by_id(ids["dora@example.com"])
    tell(dora, name="Dora")
    assert not profile_complete(dora)
    assert thanks(dora) == []


def test_a_birthday_is_kept_as_its_day_and_goes_with_the_date(alice):
    tell(alice, birth_date=date(1992, 2, 29))
    assert member_by_id(alice.id).birthday == 229
    tell(alice, birth_date=None)
    assert member_by_id(alice.id).birthday is None


def test_the_profile_shows_what_is_missing_and_where_to_tell_it(client, alice):
    page = sign_in(client, alice).get("/me").text
    assert "2 / 4" in page
    assert 'href="/me/address"' in page
    tell(alice)
    live(alice)
    assert "Complete your profile" not in sign_in(client, alice).get("/me").text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Address)) == 1
