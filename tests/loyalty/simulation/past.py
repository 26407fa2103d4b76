"""A past to simulate: what members bought and gave back, recorded as it happens in life."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import sqlalchemy as sa

from app.foundation import clock, drafts, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.earning.actions import ReportedLine, mature_purchase, record_purchases
from app.loyalty.earning.returns import return_purchase
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.purchases.models import Purchase
from app.loyalty.simulation import actions, queries
from app.loyalty.simulation.jobs import run_simulations
from app.loyalty.tiers.actions import review_upgrades
from app.loyalty.tiers.jobs import review_tiers
from tests.conftest import NOON
from tests.factories import purchase_report
from tests.loyalty.tiers.climbing import on

FIRST, LAST = date(2026, 1, 1), date(2026, 6, 15)
EARLY = on(2025, 12, 1)

NAME = {"en": "A name"}
RULES = {
    "rate": "1",
    "rates": [{"category": "tea", "rate": "1.5"}, {"unit": "cinema", "rate": "2/3"}],
    "growth_rate": "0.5",
    "caps": {"purchase": 900, "day": 1100, "month": 2500, "budget": 19000},
    "campaigns": [
        {"code": "member-day", "name": {"en": "Member day"}, "times": "2", "days": [5, 18], "budget": 1500},
        {"code": "coffee", "name": {"en": "Coffee week"}, "times": "3/2", "category": "coffee", "weekdays": [0, 1, 2]},
    ],
    "bonuses": [
        {"code": "third", "name": {"en": "Third"}, "nth": 3, "period": "month", "points": 70, "at_least": 2000},
        {"code": "first", "name": {"en": "First"}, "nth": 1, "period": "ever", "points": 50, "budget": 120},
    ],
}
TWICE = [
    {"code": f"multiplier-{tier}", "kind": "multiplier", "name": NAME, "value": times, "tiers": [tier]}
    for tier, times in (("silver", "1.5"), ("gold", "2"), ("diamond", "5"))
]


def publish(cls, *, at=EARLY, **values):
    """These terms hold from ``at`` on."""
    with transaction():
        terms.change(cls, values, by=SYSTEM, now=at)
    terms.forget()


def draft(cls, **values):
    with transaction():
        drafts.save_draft(cls, values, by=SYSTEM, now=clock.now())
    terms.forget()


def live(members, units, *, seed=1, purchases=45, returns=7, pending=lambda number: False):
    """Half a year in which these members buy, and sometimes bring something back; the last one only in January.

    What is ``pending`` matures 5 to 40 days later, unless the half year is over by then.
    """
    chance = Random(seed)
    begin, minutes = on(2026, 1, 1, "00:00"), 165 * 24 * 60
    moments = sorted(begin + timedelta(minutes=chance.randrange(minutes)) for _ in range(purchases))
    happened = [(moment, f"{number}", None) for number, moment in enumerate(moments)]
    happened += [
        (moments[number] + timedelta(days=chance.randint(0, 20)), f"{number}", "R1")
        for number in chance.sample(range(purchases), returns)
    ]
    happened += [(on(2026, month, 3, "00:22"), "", "review") for month in range(1, 7)]
    happened += [
        (moment + timedelta(days=5 + number * 7 % 36), f"{number}", "matures")
        for number, moment in enumerate(moments)
        if pending(number)
    ]
    for at, number, what in sorted(happened, key=lambda each: (each[0], each[2] or "")):
        if at > NOON:
            continue
        with clock.freeze(at):
            terms.forget()
            if what == "review":
                review_tiers(now=at)
            elif what == "matures":
                mature(units, number, at)
            elif what:
                give_back(units, number, at)
            else:
                there = members if at < on(2026, 2, 1) else members[:-1]
                buy(chance, there, units, number, at, pending=pending(int(number)))
    terms.forget()
    db.session.rollback()


def buy(chance, members, units, number, at, *, pending):
    unit = units[int(number) % len(units)]
    lines = tuple(
        ReportedLine(chance.choice(["tea", "coffee", "cake"]), f"S{chance.randint(1, 9)}", 1, chance.randint(0, 30000))
        for _ in range(chance.randint(1, 4))
    )
    report = purchase_report(chance.choice(members), unit=unit, order_no=number, occurred_at=at, lines=lines)
    with transaction():
        record_purchases([report], now=at, pending=pending)


def mature(units, number, at):
    """As when an order is completed."""
    unit = units[int(number) % len(units)]
    member_id = db.session.scalar(sa.select(Purchase.member_id).filter_by(unit_id=unit.id, order_no=number))
    with transaction():
        mature_purchase(unit_code=unit.code, order_no=number, now=at)
        review_upgrades([member_id], now=at)


def give_back(units, number, at):
    unit = units[int(number) % len(units)]
    with transaction():
        return_purchase(unit_code=unit.code, order_no=number, return_no="R1", now=at)


def simulate(*, first_day=FIRST, last_day=LAST, now=NOON, **more):
    """Ask, and let the worker do it. Returns the simulation."""
    with transaction():
        asked = actions.ask(first_day=first_day, last_day=last_day, by=SYSTEM, now=now)
    run_simulations(now=now, **more)
    return queries.simulation_by_id(asked.id)


__all__ = ["BenefitTerms", "EarningTerms", "draft", "live", "publish", "simulate"]
