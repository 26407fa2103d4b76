"""Two owners, or two workers, at the same instant."""

from __future__ import annotations

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.loyalty.simulation import actions, jobs, queries, steps
from app.loyalty.simulation.figures import Figures
from app.loyalty.simulation.models import Simulation
from tests.conftest import NOON
from tests.factories import buy
from tests.loyalty.simulation.past import FIRST, LAST, EarningTerms, draft
from tests.loyalty.tiers.climbing import on
from tests.racing import ON_POSTGRESQL, at_once, barrier, meet_after

pytestmark = ON_POSTGRESQL


def ask():
    with transaction():
        return actions.ask(first_day=FIRST, last_day=LAST, by=SYSTEM, now=NOON).id


def test_two_owners_who_start_at_once_start_one_simulation(app, monkeypatch):
    draft(EarningTerms, rate="2")
    meet_after(monkeypatch, queries, "under_way", barrier(2))
    first, second = at_once(app, [ask, ask])
    assert first == second
    assert db.session.query(Simulation).count() == 1


def test_two_workers_with_the_same_step_count_it_once(app, members, units, monkeypatch):
    buy(members[0], 600_00, unit=units[0], at=on(2026, 3, 2))
    draft(EarningTerms, rate="2")
    number = ask()
    with monkeypatch.context() as together:
        # Both believe to be the only one, and have counted before either has written.
        together.setattr(jobs, "begin", lambda *_args, **_more: True)
        with transaction():
            actions.begin(number, now=NOON, stale=NOON)
        meet_after(together, steps, "take", barrier(2))
        at_once(app, [lambda: jobs.run_simulations(now=NOON)] * 2)
    db.session.rollback()
    done = queries.simulation_by_id(number)
    assert done.state == "done"
    assert Figures.load(done.figures).purchases == 1
