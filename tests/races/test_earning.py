"""Purchases and rewards that meet at a cap or at the end of a budget. PostgreSQL only: SQLite has one writer anyway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change
from app.loyalty.earning import actions, rewards
from app.loyalty.earning.models import Budget, MilestoneReached
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.queries import standing
from app.loyalty.ledger.verify import verify
from app.loyalty.purchases import queries as purchases
from tests.cast import make_unit
from tests.conftest import NOON
from tests.factories import buy, make_member
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after

pytestmark = ON_POSTGRESQL


@dataclass
class Shop:
    id: int
    code: str


def rules(**terms):
    with transaction():
        change(EarningTerms, terms, by=SYSTEM, now=NOON - timedelta(days=60))


def shop():
    unit = make_unit()
    return Shop(unit.id, unit.code)


def available(member_id):
    db.session.rollback()
    return int(standing(member_id, now=NOON).available)


def buy_at_once(app, members, unit):
    tasks = [
        lambda member=member, number=number: buy(member, 100_00, unit=unit, order_no=f"P{number}")
        for number, member in enumerate(members)
    ]
    return sorted(at_once(app, tasks))


def test_without_queueing_up_two_purchases_both_find_the_day_empty(app, monkeypatch):
    rules(caps={"day": 150})
    lin, unit = make_member(), shop()
    monkeypatch.setattr(ledger, "queue_up", lambda members: None)
    meet_after(monkeypatch, purchases, "on_record", barrier(2))
    assert buy_at_once(app, [lin, lin], unit) == [100, 100]


def test_a_cap_reached_by_two_parallel_purchases_holds(app):
    rules(caps={"day": 150})
    lin, unit = make_member(), shop()
    assert buy_at_once(app, [lin] * 4, unit) == [0, 0, 50, 100]
    assert available(lin) == 150
    assert verify().clean


def test_the_third_of_four_parallel_purchases_is_one(app):
    rules(bonuses=[{"code": "third", "name": {"en": "Third"}, "nth": 3, "period": "month", "points": 50}])
    lin, unit = make_member(), shop()
    assert buy_at_once(app, [lin] * 4, unit) == [100, 100, 100, 150]


def test_a_budget_is_not_overdrawn_by_members_who_come_together(app):
    rules(caps={"budget": 250})
    members, unit = [make_member(name=f"M{n}") for n in range(5)], shop()
    assert buy_at_once(app, members, unit) == [0, 0, 50, 100, 100]
    db.session.rollback()
    assert db.session.scalar(sa.select(Budget.used)) == 250


def test_without_the_budgets_lock_it_would_be(app, monkeypatch):
    rules(caps={"budget": 250})
    members, unit = [make_member(name=f"M{n}") for n in range(3)], shop()
    monkeypatch.setattr(actions, "lock_budgets", lambda codes: dict.fromkeys(codes, 0))
    meet_after(monkeypatch, purchases, "on_record", barrier(3))
    assert buy_at_once(app, members, unit) == [100, 100, 100]


def test_the_same_deed_told_ten_times_at_once_is_rewarded_once(app):
    lin = make_member()

    def share():
        with transaction():
            return rewards.reward(member_id=lin, kind="sharing", subject="tea", now=NOON)

    answers = at_once(app, [share] * 10)
    assert sum(each.fresh for each in answers) == 1
    assert available(lin) == 30


def test_a_daily_cap_holds_for_different_deeds_at_once(app):
    lin = make_member()

    def share(what):
        with transaction():
            return rewards.reward(member_id=lin, kind="sharing", subject=what, now=NOON).points.value

    answers = at_once(app, [lambda what=what: share(what) for what in "ABCDE"])
    assert sorted(answers) == [0, 0, 0, 0, 30]


def test_a_milestone_is_reached_once_by_purchases_that_meet(app):
    rules(milestones=[{"code": "m", "name": {"en": "M"}, "earn": 150, "period": "month", "points": 25, "budget": 25}])
    members, unit = [make_member(name=f"M{n}") for n in range(2)], shop()
    buy_at_once(app, members * 3, unit)
    assert sorted(available(each) for each in members) == [300, 325]
    assert db.session.scalar(sa.select(sa.func.count(MilestoneReached.id))) == 2
    assert verify().clean
