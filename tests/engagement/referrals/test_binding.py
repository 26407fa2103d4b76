"""Who came by whom, and who may not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.engagement.referrals.actions import bind, open_inviter, remember_device
from app.engagement.referrals.models import Referral
from app.engagement.referrals.queries import devices_of
from app.foundation.database import db, transaction
from app.identity.members.actions import claim, create_unclaimed
from app.identity.members.queries import member_by_id
from tests.conftest import NOON
from tests.engagement.referrals.circle import DAY, code_of, earned, join_by, referral_of, settle, spend, standing, terms


def bind_again(friend, inviter, **more):
    code = code_of(inviter)
    with transaction():
        return bind(friend_id=friend.id, code=code, **{"device": None, "now": NOON} | more)


def test_a_member_has_one_code_for_ever(alice, bob):
    first = code_of(alice)
    assert code_of(alice) == first
    assert code_of(bob) != first


def test_a_code_that_is_taken_is_drawn_again(alice, bob, monkeypatch):
    taken = code_of(alice)
    drawn = iter([taken, taken, "ZZZZZZZ"])
    monkeypatch.setattr("app.engagement.referrals.actions.new_code", lambda: next(drawn))
    with transaction():
        assert open_inviter(member_id=bob.id, now=NOON) == "ZZZZZZZ"
    assert code_of(alice) == taken


def test_a_friend_is_bound_on_joining_on_the_terms_of_that_day(alice):
    carol = join_by(alice)
    terms(inviter_points=7, friend_points=7, least_spend=700, within_days=7)
    found = referral_of(carol)
    assert (found.inviter_id, found.state, found.joined_at) == (alice.id, "joined", NOON)
    assert (found.inviter_points, found.friend_points, found.least_spend) == (100, 50, 10_000)
    assert found.spend_by == NOON + 30 * DAY


def test_who_comes_without_a_code_or_with_an_unknown_one_is_just_a_member(alice, bob):
    carol = join_by(None)
    with transaction():
        assert not bind(friend_id=carol.id, code="NOPE", device=None, now=NOON)
        assert not bind(friend_id=carol.id, code="ZZZZZZZ", device=None, now=NOON)
    assert standing(carol) is None


def test_a_friend_is_brought_once_whoever_asks_later(alice, bob):
    carol = join_by(alice)
    assert not bind_again(carol, alice)
    assert not bind_again(carol, bob)
    assert referral_of(carol).inviter_id == alice.id
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Referral)) == 1


# --- refusals -----------------------------------------------------------------------------


def test_nobody_brings_themselves_with_their_own_code(alice):
    assert not bind_again(alice, alice)
    assert standing(alice) is None


def test_the_same_mailbox_is_oneself(app):
    inviter = join_by(None, email="alice@gmail.com")
    assert standing(join_by(inviter, email="a.lice+second@googlemail.com")) == ("refused", "contact")
    assert standing(join_by(inviter, email="bob@gmail.com")) == ("joined", None)


def test_the_same_device_is_oneself(alice):
    with transaction():
        remember_device(member_id=alice.id, device="tablet", now=NOON)
    assert standing(join_by(alice, device="tablet")) == ("refused", "device")
    assert standing(join_by(alice, device="phone")) == ("joined", None)


def test_one_device_brings_one_friend_to_an_inviter(alice, bob):
    assert standing(join_by(alice, device="farm")) == ("joined", None)
    assert standing(join_by(alice, device="farm")) == ("refused", "device")
    assert standing(join_by(bob, device="farm")) == ("joined", None)


def test_an_emptied_cookie_jar_fills_no_table(alice):
    with transaction():
        for number in range(60):
            remember_device(member_id=alice.id, device=f"d{number}", now=NOON)
    assert devices_of(alice.id) == 50


def test_a_device_that_nobody_names_accuses_nobody(alice):
    assert standing(join_by(alice)) == standing(join_by(alice)) == ("joined", None)


def test_an_imported_member_was_a_customer_before(alice):
    code = code_of(alice)
    with transaction():
        dave = create_unclaimed(["dave@example.com"], now=NOON - DAY)["dave@example.com"]
    with transaction():
        claimed = claim(member_by_id(dave), password_hash="x", invite_code=code, now=NOON)
    assert standing(claimed) == ("refused", "existing")


def test_a_member_who_has_joined_already_is_an_existing_one(alice, bob):
    assert bind_again(bob, alice, now=NOON + DAY)
    assert standing(bob) == ("refused", "existing")


@pytest.mark.parametrize("length", [1, 3])
def test_whom_one_has_brought_cannot_bring_one_back(alice, length):
    last = alice
    for _ in range(length):
        last = join_by(last)
    assert bind_again(alice, last)
    assert standing(alice) == ("refused", "loop")


def test_a_refused_friend_is_a_member_like_any_other_and_nobody_is_paid(alice, unit):
    with transaction():
        remember_device(member_id=alice.id, device="tablet", now=NOON)
    carol = join_by(alice, device="tablet")
    spend(carol, 50_000, unit=unit)
    assert settle() == 0
    assert (earned(alice), earned(carol)) == (0, 0)
    assert standing(carol) == ("refused", "device")
