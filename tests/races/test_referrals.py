"""Friends who qualify at the same instant. PostgreSQL only: SQLite has one writer at a time anyway."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.engagement.referrals import actions, queries
from app.engagement.referrals.models import Inviter, Referral
from app.foundation.database import db, transaction
from app.loyalty.ledger.verify import verify
from tests.cast import join
from tests.conftest import NOON
from tests.engagement.referrals.circle import LATER, earned, join_by, referral_of, spend, terms
from tests.racing import ON_POSTGRESQL, at_once, barrier, lifted, meet_after, meet_before, without_lock

pytestmark = ON_POSTGRESQL


def ready(inviter, unit, count):
    """Friends of the inviter who have all spent enough; the ids of their referrals."""
    friends = [join_by(inviter) for _ in range(count)]
    for friend in friends:
        spend(friend, 10_000, unit=unit)
    ids = [referral_of(friend).id for friend in friends]
    db.session.rollback()  # A reader who stays would keep the constraints from being lifted.
    return ids


def settle_each(app, referral_ids, *, refusal=IntegrityError):
    def settle(referral_id):
        with transaction():
            return actions.settle(referral_ids=[referral_id], now=LATER)

    answers = at_once(app, [lambda each=each: settle(each) for each in referral_ids], refusal=refusal)
    db.session.rollback()
    return answers


def states():
    db.session.rollback()
    return sorted(db.session.scalars(sa.select(Referral.state)).all())


def test_without_lock_and_constraint_two_friends_take_the_last_place(app, alice, unit, monkeypatch):
    """The inviter's lock taken away, and the unique place: both look, find the month empty, and take place 1."""
    terms(monthly_cap=1)
    ids = ready(alice, unit, 2)
    monkeypatch.setattr(actions, "lock", without_lock)
    meet_after(monkeypatch, queries, "places_taken", barrier(2))
    with lifted("uq_referral_inviter_id_month_place"):
        assert settle_each(app, ids) == [1, 1]
        assert states() == ["rewarded", "rewarded"]
        assert earned(alice) == 200


def test_without_the_lock_the_constraint_still_refuses_the_second(app, alice, unit, monkeypatch):
    terms(monthly_cap=1)
    ids = ready(alice, unit, 2)
    monkeypatch.setattr(actions, "lock", without_lock)
    meet_after(monkeypatch, queries, "places_taken", barrier(2))
    answers = settle_each(app, ids)
    assert sorted(isinstance(answer, IntegrityError) for answer in answers) == [False, True]
    assert states() == ["joined", "rewarded"]
    assert earned(alice) == 100


def test_the_last_place_of_the_month_is_taken_once(app, alice, unit, monkeypatch):
    terms(monthly_cap=3)
    ids = ready(alice, unit, 5)
    meet_before(monkeypatch, actions, "_lock_inviters", barrier(5))
    assert sorted(settle_each(app, ids)) == [0, 0, 1, 1, 1]
    assert states() == ["refused", "refused", "rewarded", "rewarded", "rewarded"]
    assert sorted(db.session.scalars(sa.select(Referral.place).where(Referral.place.is_not(None)))) == [1, 2, 3]
    assert earned(alice) == 300
    assert verify().findings == []


def test_two_workers_with_the_same_friend_pay_once(app, alice, unit, monkeypatch):
    (only,) = ready(alice, unit, 1)
    meet_before(monkeypatch, actions, "_lock_inviters", barrier(3))
    assert sorted(settle_each(app, [only] * 3)) == [0, 0, 1]
    assert earned(alice) == 100
    assert verify().findings == []


def test_two_batches_that_share_inviters_in_different_orders_wait_instead_of_failing(
    app, alice, bob, unit, monkeypatch
):
    firsts, seconds = ready(alice, unit, 2), ready(bob, unit, 2)

    def settle(ids):
        with transaction():
            return actions.settle(referral_ids=ids, now=LATER)

    meet_before(monkeypatch, actions, "_lock_inviters", barrier(2))
    batches = [[firsts[0], seconds[0]], [seconds[1], firsts[1]]]
    assert at_once(app, [lambda ids=ids: settle(ids) for ids in batches]) == [2, 2]
    db.session.rollback()
    assert (earned(alice), earned(bob)) == (200, 200)


def test_a_code_that_two_requests_need_first_is_made_once(app, alice):
    def open_one():
        with transaction():
            return actions.open_inviter(member_id=alice.id, now=NOON)

    codes = at_once(app, [open_one] * 5)
    db.session.rollback()
    assert len(set(codes)) == 1
    assert db.session.scalars(sa.select(Inviter.code)).all() == codes[:1]


def test_one_friend_claimed_by_two_inviters_belongs_to_one(app, alice, bob):
    carol = join("carol@example.com", "Carol Ng")
    codes = []
    for inviter in (alice, bob):
        with transaction():
            codes.append(actions.open_inviter(member_id=inviter.id, now=NOON))

    def bind(code):
        with transaction():
            return actions.bind(friend_id=carol.id, code=code, device=None, now=NOON)

    assert sorted(at_once(app, [lambda code=code: bind(code) for code in codes])) == [False, True]
    assert states() == ["joined"]
