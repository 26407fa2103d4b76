"""The work itself, in steps that remember how far they came.

A step tells some members' purchases again on both sides and adds to the figures; its worker then writes figures and
place by one short statement, only where no other worker has gone on meanwhile. So a crash repeats a step and
loses nothing, and nothing is locked while it counts.

Budgets belong to all members together, and which purchase takes the last point depends on all before it. So
the first round lets them last for ever and counts, by the hour, what is taken. Up to the moment at which the first
of them runs out that is exact: until then nobody was short of anything. The purchases of that hour are looked
at one by one, and another round begins that knows the end of this budget; until no further one runs out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.foundation.database import db
from app.loyalty.purchases.queries import buyers
from app.loyalty.simulation.figures import Figures, Wants, first_dry, hour_of, namer, run_dry, want
from app.loyalty.simulation.models import DONE, RUNNING, Simulation
from app.loyalty.simulation.reading import SIDES, Comparison, compare, stories
from app.loyalty.simulation.replay import replay

BATCH = 500  # Members; a step takes about a second.
Dry = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step found out, and the place from which it started."""

    simulation_id: int
    came_from: tuple[int, int]
    values: dict[str, Any]

    @property
    def last(self) -> bool:
        return self.values.get("state") == DONE


def prepare(simulation: Simulation) -> Comparison:
    """The comparison with the budgets that are known to run out."""
    return compare(simulation).with_dry(_dry_of(simulation))


def take(simulation: Simulation, comparison: Comparison, *, limit: int = BATCH) -> Step:
    """Work the next members out, without writing anything."""
    time = {"since": comparison.begin, "until": comparison.end, "known_by": comparison.known_by}
    members = buyers(**time, after=simulation.last_member_id, limit=limit)
    figures = Figures.load(simulation.figures)
    wants: dict[str, Wants] = {side: dict(simulation.working.get("wants", {}).get(side, {})) for side in SIDES}
    names = {side: namer(comparison.sides[side].purchase) for side in SIDES}
    for story in stories(members, comparison) if members else ():
        endings = {side: replay(story, comparison.sides[side]) for side in SIDES}
        figures.add(story, endings["now"], endings["draft"], names)
        for side in SIDES:
            if comparison.sides[side].budgets:
                want(wants[side], endings[side], comparison.sides[side].dry)
    values: dict[str, Any] = {
        "figures": figures.dump(),
        "working": {**simulation.working, "wants": wants},
        "done": figures.purchases,
        "last_member_id": members[-1] if members else simulation.last_member_id,
    }
    if len(members) < limit:
        values |= _round_over(simulation, comparison, wants)
    return Step(simulation.id, (simulation.round, simulation.last_member_id), values)


def write(step: Step, *, now: datetime) -> bool:
    """Keep what a step found out, in the caller's transaction. False where somebody else went on, or cancelled it."""
    came_from = sa.and_(
        Simulation.id == step.simulation_id,
        Simulation.state == RUNNING,
        Simulation.round == step.came_from[0],
        Simulation.last_member_id == step.came_from[1],
    )
    values = step.values | {"alive_at": now} | ({"finished_at": now, "alive_at": None} if step.last else {})
    update = sa.update(Simulation).where(came_from).values(**values).returning(Simulation.id)
    written = db.session.execute(update, execution_options={"synchronize_session": False})
    return written.one_or_none() is not None


# --- rounds ---------------------------------------------------------------------------------


def _round_over(simulation: Simulation, comparison: Comparison, wants: Mapping[str, Wants]) -> dict[str, Any]:
    """Everybody is done: either that is the result, or another round begins that knows of one more budget's end."""
    dry: Dry = {side: dict(simulation.working.get("dry", {}).get(side, {})) for side in SIDES}
    found = False
    for side in SIDES:
        rules = comparison.sides[side]
        budgets = rules.purchase.budgets
        end = first_dry(wants[side], budgets)
        if end is not None:
            hour, before = end
            code, place, room = run_dry(_taken(side, hour, comparison), before, budgets)
            dry[side][code] = [place[0].isoformat(), place[1], room]
            found = True
    if not found:
        return {"state": DONE, "working": {"dry": dry}}
    again = {"round": simulation.round + 1, "last_member_id": 0, "done": 0}
    return again | {"figures": {}, "working": {"dry": dry, "wants": {}}}


def _taken(side: str, hour: int, comparison: Comparison) -> list[tuple[Any, str, int]]:
    """What each purchase of an hour takes from budgets that are not known to run out."""
    rules, taken, after = comparison.sides[side], [], 0
    begin = max(datetime.fromtimestamp(hour * 3600, UTC), comparison.begin)
    until = min(datetime.fromtimestamp((hour + 1) * 3600, UTC), comparison.end)
    while members := buyers(since=begin, until=until, known_by=comparison.known_by, after=after, limit=BATCH):
        after = members[-1]
        for story in stories(members, comparison):
            taken += [
                (told.sale.place, code, points)
                for told in replay(story, rules).told
                if hour_of(told.sale.at) == hour
                for code, points in told.spent.items()
                if points and code not in rules.dry
            ]
    return taken


def _dry_of(simulation: Simulation) -> dict[str, dict[str, Any]]:
    """The ends of budgets as they are kept: moment, purchase, and what is left for it."""
    kept: Dry = simulation.working.get("dry", {})
    return {
        side: {code: ((datetime.fromisoformat(moment), number), room) for code, (moment, number, room) in codes.items()}
        for side, codes in kept.items()
    }
