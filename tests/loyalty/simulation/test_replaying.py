"""What is told again under the rules in force is what happened."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.foundation import clock, terms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.earning.actions import mature_purchase, record_purchases
from app.loyalty.earning.returns import return_purchase
from app.loyalty.purchases.models import Purchase
from app.loyalty.simulation import actions, queries, steps
from app.loyalty.simulation.figures import Figures
from app.loyalty.simulation.jobs import run_simulations
from app.loyalty.simulation.replay import replay
from app.loyalty.tiers.actions import review_upgrades
from app.loyalty.tiers.terms import LadderTerms
from tests.conftest import NOON
from tests.factories import buy, purchase_report
from tests.loyalty.simulation.past import (
    FIRST,
    LAST,
    RULES,
    TWICE,
    BenefitTerms,
    EarningTerms,
    draft,
    live,
    publish,
    simulate,
)
from tests.loyalty.tiers.climbing import earn, on, tier


@pytest.mark.parametrize(("seed", "pending"), [(1, False), (2, False), (3, True), (4, True)])
def test_the_rules_in_force_told_again_bring_what_they_brought(members, units, seed, pending):
    publish(EarningTerms, **RULES)
    publish(BenefitTerms, benefits=TWICE)
    earn(members[0], 300, at=on(2025, 12, 20), key="a course")
    live(members, units, seed=seed, pending=lambda number: pending and number % 3 > 0)
    draft(EarningTerms, **RULES | {"rate": "2", "caps": {}})
    done = simulate()
    assert done.state == "done"
    figures = Figures.load(done.figures)
    really = dict(db.session.execute(sa.select(Purchase.id, Purchase.points)).all())
    comparison = steps.prepare(done)
    told = {
        each.sale.id: each.points
        for story in steps.stories(members, comparison)
        for each in replay(story, comparison.sides["now"]).told
    }
    assert told == really
    assert figures.now.points == figures.issued == sum(really.values()) > 0
    assert figures.now.returned == figures.issued_returned > 0
    assert figures.now.points != figures.draft.points
    standing = [tier(member) for member in members]
    ended = [replay(story, comparison.sides["now"]).tier for story in steps.stories(members, comparison)]
    assert ended == standing


def test_what_was_on_the_way_counts_once_and_from_its_maturity_on(members, units):
    publish(BenefitTerms, benefits=TWICE)
    alice = members[0]
    buy(alice, 300_00, unit=units[0], order_no="a", at=on(2026, 3, 25), pending=True)
    with transaction():
        mature_purchase(unit_code=units[0].code, order_no="a", now=on(2026, 4, 5))
        review_upgrades([alice], now=on(2026, 4, 5))
    buy(alice, 100_00, unit=units[0], order_no="b", at=on(2026, 4, 6))
    assert tier(alice) == "regular"
    draft(EarningTerms, rate="2")
    done = simulate()
    [story] = steps.stories([alice], steps.prepare(done))
    now, changed = sides_of(done, alice)
    assert story.extras == []
    assert ([each.points for each in now.told], now.tier) == ([300, 100], "regular")
    assert ([each.points for each in changed.told], changed.tier) == ([600, 300], "silver")


def test_what_is_still_on_the_way_lifts_nobody_and_hides_no_reward(members, units):
    alice = members[0]
    earn(alice, 520, at=on(2026, 3, 10), key="a course")
    buy(alice, 300_00, unit=units[0], order_no="a", at=on(2026, 3, 25), pending=True)
    buy(members[1], 300_00, unit=units[0], order_no="b", at=on(2026, 3, 25), pending=True)
    draft(EarningTerms, rate="2")
    done = simulate()
    [story] = steps.stories([alice], steps.prepare(done))
    assert [each.points for each in story.extras] == [520]
    now, changed = sides_of(done, members[1])
    assert (now.tier, changed.tier, changed.points) == ("regular", "regular", 600)


def test_points_for_other_things_count_for_the_tier_at_the_end_of_their_month(members, units):
    publish(BenefitTerms, benefits=TWICE)
    alice = members[0]
    earn(alice, 480, at=on(2026, 2, 10), key="a course")
    buy(alice, 30_00, unit=units[0], order_no="a", at=on(2026, 2, 11))
    buy(alice, 100_00, unit=units[0], order_no="b", at=on(2026, 2, 12))
    buy(alice, 100_00, unit=units[0], order_no="c", at=on(2026, 3, 12))
    draft(EarningTerms, rate="2")
    now, changed = sides_of(simulate(), alice)
    # In life Alice was Silver from the first purchase on.
    assert [each.points for each in now.told] == [30, 100, 150]
    assert [each.points for each in changed.told] == [60, 200, 300]


def test_what_came_before_the_period_counts_for_caps_and_tiers_and_is_not_valued_anew(members, units):
    publish(EarningTerms, rate="1", caps={"month": 300})
    publish(BenefitTerms, benefits=TWICE)
    alice = members[0]
    buy(alice, 600_00, unit=units[0], order_no="a", at=on(2026, 3, 2))
    buy(alice, 100_00, unit=units[0], order_no="b", at=on(2026, 3, 20))
    buy(alice, 100_00, unit=units[0], order_no="c", at=on(2026, 4, 20))
    draft(EarningTerms, rate="2", caps={"month": 350})
    now, changed = sides_of(simulate(first_day=date(2026, 3, 10)), alice)
    assert [each.points for each in now.told] == [0, 150]
    assert [each.points for each in changed.told] == [50, 300]


def test_a_higher_rate_lifts_members_earlier_and_their_multiplier_with_them(members, units):
    publish(BenefitTerms, benefits=TWICE)
    for month in (1, 2, 3):
        buy(members[0], 200_00, unit=units[0], order_no=f"{month}", at=on(2026, month, 5))
    draft(EarningTerms, rate="2.5")
    done = simulate()
    now, changed = sides_of(done, members[0])
    assert ([each.points for each in now.told], now.tier) == ([200, 200, 200], "silver")
    assert ([each.points for each in changed.told], changed.tier) == ([500, 750, 750], "silver")
    assert Figures.load(done.figures).moves == {"silver>silver": 1}


def test_a_draft_of_benefits_alone_is_simulated_too(members, units):
    buy(members[0], 600_00, unit=units[0], order_no="a", at=on(2026, 3, 2))
    buy(members[0], 100_00, unit=units[0], order_no="b", at=on(2026, 3, 3))
    draft(BenefitTerms, benefits=TWICE)
    done = Figures.load(simulate().figures)
    assert (done.now.points, done.draft.points) == (700, 750)


def test_a_ladder_that_asks_for_less_is_climbed_at_once_and_moves_members(members, units):
    publish(BenefitTerms, benefits=TWICE)
    buy(members[0], 300_00, unit=units[0], order_no="a", at=on(2025, 12, 20))
    buy(members[0], 100_00, unit=units[0], order_no="b", at=on(2026, 2, 1))
    tiers = deepcopy(terms.at(LadderTerms, NOON).terms.tiers)
    for condition in tiers[1]["conditions"]["conditions"]:
        condition["at_least"] //= 2
    draft(LadderTerms, tiers=tiers)
    done = simulate(last_day=date(2026, 3, 31))
    now, changed = sides_of(done, members[0])
    assert ([each.points for each in now.told], now.tier) == ([100], "regular")
    assert ([each.points for each in changed.told], changed.tier) == ([150], "silver")
    assert Figures.load(done.figures).moves == {"regular>silver": 1}


@pytest.mark.parametrize("limit", [2])
def test_a_worker_that_crashes_in_the_middle_changes_nothing_in_the_result(members, units, monkeypatch, limit):
    publish(EarningTerms, **RULES)
    live(members, units, purchases=20, returns=2)
    draft(EarningTerms, **RULES | {"rate": "2"})
    whole = simulate().figures
    with transaction():
        asked = actions.ask(first_day=FIRST, last_day=LAST, by=SYSTEM, now=NOON)
    write, crashes = steps.write, 0

    def crash_at_every_other_step(step, *, now):
        nonlocal crashes
        crashes += 1
        if crashes % 2:
            raise SystemExit
        return write(step, now=now)

    monkeypatch.setattr(steps, "write", crash_at_every_other_step)
    for turn in range(100):
        later = NOON + timedelta(minutes=2 * turn)
        with suppress(SystemExit), clock.freeze(later):
            run_simulations(now=later, limit=limit)
    done = queries.simulation_by_id(asked.id)
    assert crashes > 4
    assert (done.state, done.figures) == ("done", whole)


def test_a_worker_that_lost_its_place_writes_nothing(members, units):
    buy(members[0], 600_00, unit=units[0], at=on(2026, 3, 2))
    draft(EarningTerms, rate="2")
    with transaction():
        asked = actions.ask(first_day=FIRST, last_day=LAST, by=SYSTEM, now=NOON)
        actions.begin(asked.id, now=NOON, stale=NOON)
    simulation = queries.simulation_by_id(asked.id)
    step = steps.take(simulation, steps.prepare(simulation))
    for expected in (True, False):
        with transaction():
            assert steps.write(step, now=NOON) is expected
    assert Figures.load(queries.simulation_by_id(asked.id).figures).purchases == 1


def test_what_a_till_with_a_fast_clock_sold_may_come_back_before_it_was_sold(members, units):
    later = NOON + timedelta(minutes=5)
    buy(members[0], 600_00, unit=units[0], order_no="a", at=on(2026, 3, 2))
    with transaction():
        report = purchase_report(members[0], 100_00, unit=units[0], order_no="b", occurred_at=later)
        record_purchases([report], now=NOON)
    with transaction():
        return_purchase(unit_code=units[0].code, order_no="b", return_no="R", now=NOON)
    draft(EarningTerms, rate="2")
    figures = Figures.load(simulate().figures)
    assert (figures.now.points, figures.now.returned, figures.draft.returned) == (700, 100, 200)


def test_what_is_reported_while_it_runs_is_left_out(members, units):
    buy(members[0], 600_00, unit=units[0], order_no="a", at=on(2026, 3, 2))
    draft(EarningTerms, rate="2")
    with transaction():
        asked = actions.ask(first_day=FIRST, last_day=LAST, by=SYSTEM, now=NOON)
    with transaction():
        report = purchase_report(members[0], 100_00, unit=units[0], order_no="late", occurred_at=on(2026, 3, 3))
        record_purchases([report], now=NOON + timedelta(minutes=1))
    run_simulations(now=NOON)
    assert Figures.load(queries.simulation_by_id(asked.id).figures).purchases == 1


def sides_of(simulation, member):
    comparison = steps.prepare(simulation)
    [story] = steps.stories([member], comparison)
    return replay(story, comparison.sides["now"]), replay(story, comparison.sides["draft"])
