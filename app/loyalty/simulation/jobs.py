"""The worker's part: the simulation that was asked for, a turn at a time, so that mail and other jobs go on between."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa
from flask import current_app

from app.foundation import clock
from app.foundation.database import db, transaction
from app.foundation.jobs import periodic
from app.loyalty.simulation import queries, steps
from app.loyalty.simulation.actions import begin, fail, pause

log = logging.getLogger(__name__)
NAME = "run-simulations"
TURN = 20  # Seconds after which other jobs may have their turn.
IDLE = timedelta(seconds=90)  # Whoever has given no sign for so long has crashed.


@periodic(NAME, minute="*")
def run_simulations(*, now: datetime, seconds: int = TURN, limit: int = steps.BATCH) -> int:
    """Go on with the simulation that is under way. Returns the number of steps taken."""
    simulation = queries.under_way()
    if simulation is None:
        return 0
    with transaction():
        mine = begin(simulation.id, now=now, stale=now - IDLE)
    if not mine:
        return 0
    try:
        taken, left = _turn(simulation.id, until=monotonic() + seconds, limit=limit)
    except sa.exc.OperationalError:
        raise  # The database went away: the next turn goes on from the last step.
    except Exception:
        log.exception("Simulation %s cannot go on", simulation.id)
        db.session.rollback()
        with transaction():
            fail(simulation.id, now=now)
        return 0
    if left:
        with transaction():
            pause(simulation.id)
        current_app.extensions["jobs"][NAME]()
    return taken


def _turn(number: int, *, until: float, limit: int) -> tuple[int, bool]:
    """Steps until the time is over or nothing is left: how many, and whether something is."""
    taken = 0
    comparison, known_round = None, 0
    while True:
        simulation = queries.simulation_by_id(number)
        if simulation is None or simulation.finished_at is not None:
            return taken, False
        if comparison is None or simulation.round != known_round:
            comparison, known_round = steps.prepare(simulation), simulation.round
        step = steps.take(simulation, comparison, limit=limit)
        with transaction():
            written = steps.write(step, now=clock.now())
        taken += 1
        if not written or step.last:
            return taken, False
        if monotonic() >= until:
            return taken, True
