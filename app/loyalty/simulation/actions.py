"""Ask for a simulation, and take that back."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput
from app.loyalty.purchases.queries import count_bought
from app.loyalty.simulation import queries
from app.loyalty.simulation.models import ASKED, CANCELLED, FAILED, RUNNING, SUPERSEDED, Simulation

LONGEST_YEARS = 5

audit.describe("simulation", _l("Simulation"), {"simulation.start": _l("Simulation started")})


def ask(*, first_day: date, last_day: date, by: Actor, now: datetime) -> Simulation:
    """Ask for the drafts there are to be compared with the rules in force over these days. Audited.

    Asked for again while the same is under way, nothing happens; another one that is under way ends. Raises
    ``InvalidInput`` where there is no draft, or for a period that makes no sense.
    """
    _refuse_nonsense(first_day, last_day, today=clock.local_date(now, clock.programme_zone()))
    matter = queries.matter(now=now)
    if not matter.drafted:
        raise InvalidInput(_("There is no draft to simulate. Change the rules first; what you save becomes a draft."))
    running = queries.under_way()
    if running is not None:
        if (running.seal, running.first_day, running.last_day) == (matter.seal, first_day, last_day):
            return running
        _end(running, SUPERSEDED, now=now)
    zone = clock.programme_zone()
    time = {"since": clock.start_of(first_day, zone), "until": clock.end_of(last_day, zone), "known_by": now}
    row = {
        "domain": queries.DOMAIN,
        "seal": matter.seal,
        "draft": dict(matter.draft),
        "in_force": dict(matter.in_force),
        "first_day": first_day,
        "last_day": last_day,
        "state": ASKED,
        "asked_at": now,
        "asked_by": by.label,
        "purchases": count_bought(**time),
        "done": 0,
        "round": 1,
        "last_member_id": 0,
        "working": {},
        "figures": {},
    }
    # With no columns named, the open one of somebody who was a moment faster keeps this one out.
    if insert_new(Simulation, [row], unless=[], returning=[Simulation.id]):
        subject = ("simulation", first_day.isoformat(), f"{first_day} – {last_day}")
        audit.record("simulation.start", subject=subject, by=by, now=now, after={"terms": list(matter.drafted)})
    made = queries.under_way()
    assert made is not None
    return made


def _refuse_nonsense(first_day: date, last_day: date, *, today: date) -> None:
    if last_day < first_day:
        raise InvalidInput(_("The period ends before it begins."))
    if last_day > today:
        raise InvalidInput(_("What will be bought is not known yet: the period ends today at the latest."))
    if first_day.year < last_day.year - LONGEST_YEARS:
        raise InvalidInput(_("Please choose at most %(years)s years.", years=LONGEST_YEARS))


def cancel(number: int, *, now: datetime) -> bool:
    """End a simulation before it is done; False when it has ended already."""
    simulation = queries.simulation_by_id(number)
    return simulation is not None and _end(simulation, CANCELLED, now=now)


def fail(number: int, *, now: datetime) -> bool:
    """Write down that a simulation cannot go on."""
    simulation = queries.simulation_by_id(number)
    return simulation is not None and _end(simulation, FAILED, now=now)


def _end(simulation: Simulation, state: str, *, now: datetime) -> bool:
    values = {"state": state, "finished_at": now, "alive_at": None, "working": {}}
    still_open = sa.and_(Simulation.id == simulation.id, Simulation.finished_at.is_(None))
    ended = db.session.execute(sa.update(Simulation).where(still_open).values(**values).returning(Simulation.id))
    return ended.one_or_none() is not None


def begin(number: int, *, now: datetime, stale: datetime) -> bool:
    """Take up what is asked for, or what a worker left behind that has given no sign since ``stale``."""
    waiting = sa.or_(
        Simulation.state == ASKED,
        sa.and_(Simulation.state == RUNNING, sa.or_(Simulation.alive_at.is_(None), Simulation.alive_at < stale)),
    )
    take = sa.update(Simulation).where(Simulation.id == number, waiting)
    values = {"state": RUNNING, "alive_at": now, "started_at": sa.func.coalesce(Simulation.started_at, now)}
    return db.session.execute(take.values(**values).returning(Simulation.id)).one_or_none() is not None


def pause(number: int) -> None:
    """Leave the rest to the worker's next turn."""
    running = sa.and_(Simulation.id == number, Simulation.state == RUNNING)
    db.session.execute(sa.update(Simulation).where(running).values(alive_at=None))
