"""What tiers are measured by, for many members at once.

*Spend* and *purchases* are those that took place within the window, whenever they were
reported, less what came back of them. *Points earned* are the posted credits that the house issued for
facts within the window, less what a return took back of them; a staff correction, a refund of
spent points or an opening balance is no earning, and spending or expiry is no loss of it. *Growth* is
counted likewise, and with it what members brought from an old system, on the day when they earned it there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from app.foundation import clock
from app.foundation.points import Growth, Points
from app.loyalty.ledger import queries as ledger
from app.loyalty.purchases import queries as purchases
from app.loyalty.tiers.rules import METRICS, Step, full_months, window

ByMonth = list[dict[str, int]]
ByWindow = dict[int, dict[str, int]]


def figures(member_ids: Collection[int], *, edges: Sequence[datetime], metrics: Collection[str]) -> dict[int, ByMonth]:
    """Every metric of every member in each period between ``edges``. A query or two per source, none per member."""
    periods = range(len(edges) - 1)
    found = {member_id: [dict.fromkeys(METRICS, 0) for _ in periods] for member_id in member_ids}
    if not {"spend", "purchases"}.isdisjoint(metrics):
        for member_id, spendings in purchases.spending(member_ids, edges=edges).items():
            for period, spent in spendings.items():
                found[member_id][period].update(spend=spent.amount, purchases=spent.purchases)
    for metric, book in (("points_earned", Points.ledger), ("growth", Growth.ledger)):
        if metric in metrics:
            for member_id, sums in ledger.earned(member_ids, edges=edges, ledger=book).items():
                for period, amount in sums.items():
                    found[member_id][period][metric] = max(amount, 0)
    return found


def monthly(
    member_ids: Collection[int], *, month: date, window_months: int, metrics: Collection[str]
) -> dict[int, ByMonth]:
    """The figures of the full months before ``month``, in the programme's timezone."""
    zone = clock.programme_zone()
    edges = [clock.start_of(first, zone) for first in full_months(month, window_months)]
    return figures(member_ids, edges=edges, metrics=metrics)


def rolling(
    counts_from: Mapping[int, datetime | None], ladder: Sequence[Step], *, now: datetime
) -> dict[int, ByWindow]:
    """Each member's figures over every window by which a tier of the ladder is reached; the default ladder has one.

    ``counts_from`` names the members, and the moment before which nothing counts for them any more: few
    different ones, because reviews set it to the beginning of their month.
    """
    zone = clock.programme_zone()
    today = clock.local_date(now, zone)
    asked: defaultdict[int, set[str]] = defaultdict(set)
    for step in ladder:
        asked[step.requirement.window_months] |= {each.metric for each in step.requirement.conditions}
    found: dict[int, ByWindow] = {member_id: {} for member_id in counts_from}
    for months, metrics in asked.items():
        first, last = window(today, months)
        begin, until = clock.start_of(first, zone), clock.end_of(last, zone)
        since: defaultdict[datetime, list[int]] = defaultdict(list)
        for member_id, moment in counts_from.items():
            since[max(begin, moment or begin)].append(member_id)
        for start, member_ids in since.items():
            for member_id, (sums,) in figures(member_ids, edges=[start, until], metrics=metrics).items():
                found[member_id][months] = sums
    return found
