"""A purchase and the monthly review at the same instant: the upgrade survives, whoever comes first."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Event
from time import sleep
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from app.foundation import terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.earning.actions import record_purchases
from app.loyalty.purchases.actions import Earned, write_down
from app.loyalty.tiers import actions, ladder, queries, reviews
from app.loyalty.tiers.models import TierReview
from app.loyalty.tiers.queries import history
from app.loyalty.tiers.terms import LadderTerms, default_ladder
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import make_member, purchase_report
from tests.loyalty.tiers.climbing import on, put_on, tier
from tests.racing import ON_POSTGRESQL, PATIENCE, at_once, barrier, meet_after, without_lock

pytestmark = ON_POSTGRESQL
LONG_AGO = on(2024, 1, 10)
NOW = on(2026, 6, 3, "02:00")
JUNE = date(2026, 6, 1)


@pytest.fixture
def lin(app):
    """Silver, and not kept."""
    member_id = make_member(at=LONG_AGO)
    put_on("silver", member_id, since=LONG_AGO)
    with transaction():
        reviews.begin_review(JUNE, now=NOW)
    return member_id


def purchase(lin, unit):
    def buy_a_lot():
        with transaction():
            record_purchases([purchase_report(lin, 5_000_00, unit=unit, occurred_at=NOW)], now=NOW)

    return buy_a_lot


def review_them():
    with transaction():
        return reviews.review_some(JUNE, now=NOW)


@pytest.mark.tampering
def test_the_race_itself_a_review_that_does_not_lock_buries_an_upgrade(app, lin, monkeypatch):
    """Without the lock both look, then the upgrade writes, then the review: the member's ¥5,000 made them Regular."""
    unit, meeting = make_unit(), barrier(2)
    monkeypatch.setattr(reviews, "lock", without_lock)
    monkeypatch.setattr(ladder, "lock", without_lock)
    meet_after(monkeypatch, reviews, "_falls", meeting)
    meet_after(monkeypatch, actions, "_raises", meeting)
    late = reviews.move
    monkeypatch.setattr(reviews, "move", lambda *moves, **more: (wait_for_gold(lin), late(*moves, **more)))
    at_once(app, [purchase(lin, unit), review_them])
    assert tier(lin) == "regular"


@pytest.mark.parametrize("moved", [False, True])
def test_a_ladder_is_put_up_while_members_move_on_it(app, monkeypatch, moved):
    """Rows of members who moved hold the keys of tiers, in any order; the ladder's may be in the way of none."""
    unit, first = make_unit(), Event()
    tiers = default_ladder("CNY")
    there = [tiers[0] | {"name": {"en": "Basic"}}, *(tiers[:0:-1] if moved else tiers[1:])]
    members = [make_member(), make_member()]
    put_on("regular", *members, since=LONG_AGO)
    bought = zip(members, (6_000_00, 600_00), strict=True)
    reports = [purchase_report(member_id, paid, unit=unit, order_no=f"{member_id}") for member_id, paid in bought]
    with transaction():
        write_down([Earned(report, 0, 0, (0,)) for report in reports], now=NOON)
    with transaction():
        terms.publish(LadderTerms, {"tiers": there}, starts_at=NOON, note="", by=SYSTEM, now=NOON - timedelta(days=1))
    put, turns = ladder.sa.update, []

    def put_slowly(*what):
        turns.append(what)
        if len(turns) == 2:  # One has moved, and the next one is to.
            first.set()
            sleep(0.4)
        return put(*what)

    monkeypatch.setattr(ladder, "sa", SimpleNamespace(**vars(sa) | {"update": put_slowly}))

    def move_them():
        with transaction():
            actions.review_upgrades(members, now=NOON)

    def follow():
        first.wait(PATIENCE)
        with transaction():
            return actions.follow_ladder(now=NOON)

    assert at_once(app, [move_them, follow]) == [None, True]
    assert [tier(member) for member in members] == ["gold", "silver"]
    db.session.rollback()
    assert [each.code for each in queries.ladder()] == [entry["code"] for entry in there]


def test_a_tier_to_which_somebody_is_moving_does_not_go(app):
    member, moving, gone = make_member(), Event(), Event()
    put_on("regular", member, since=LONG_AGO)
    without_gold = [entry for entry in default_ladder("CNY") if entry["code"] != "gold"]
    with transaction():
        terms.publish(LadderTerms, {"tiers": without_gold}, starts_at=NOON, note="", by=SYSTEM, now=LONG_AGO)

    def move_them():
        with transaction():
            gold = next(each for each in queries.ladder() if each.code == "gold")
            ladder.move([ladder.Move(member, None, gold.id, "manual")], now=NOON)
            moving.set()
            gone.wait(PATIENCE)

    def follow():
        moving.wait(PATIENCE)
        with transaction():
            actions.follow_ladder(now=NOON)
        gone.set()

    at_once(app, [move_them, follow])
    assert tier(member) == "gold"


def wait_for_gold(member_id):
    """Until the upgrade is committed, as seen by somebody else."""
    query = sa.text("SELECT 1 FROM tier_change WHERE member_id = :id AND reason = 'upgrade'")
    for _ in range(2_000):
        with db.engine.connect() as other:
            if other.scalar(query, {"id": member_id}):
                return
    raise TimeoutError


@pytest.mark.parametrize("turn", range(6))
def test_the_upgrade_survives(app, lin, turn):
    unit = make_unit()
    tasks = [purchase(lin, unit), review_them]
    at_once(app, tasks if turn % 2 else tasks[::-1])
    assert tier(lin) == "gold"
    assert [entry.change.reason for entry in history(lin)] in (["upgrade", "review"], ["upgrade"])


def test_two_workers_at_once_lower_everybody_once(app):
    members = [make_member(at=LONG_AGO) for _ in range(8)]
    put_on("diamond", *members, since=LONG_AGO)
    with transaction():
        reviews.begin_review(JUNE, now=NOW)

    def work():
        left, batches = True, 0
        while left:
            with transaction():
                left = reviews.review_some(JUNE, now=NOW + timedelta(seconds=batches), limit=1)
            batches += 1

    at_once(app, [work, work, work])
    assert {tier(member) for member in members} == {"gold"}
    done = db.session.get(TierReview, JUNE)
    assert (done.reviewed, done.lowered) == (8, 8)
