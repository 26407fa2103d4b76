"""What tiers are measured by, for many members at once.

*Spend* and *purchases* are those that took place within the window, whenever they were
reported. *Points earned* are the posted credits that the house issued for facts within
the window, less what a return took back of them; a staff correction, a refund of
spent points or an opening balance is no earning, and spending or expiry is no loss of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.foundation import clock
from app.foundation.points import Growth, Points
from app.loyalty.earning import queries as earning
from app.loyalty.ledger import queries as ledger
from app.loyalty.tiers.rules import METRICS, window

ByMember = dict[int, dict[str, int]]


def figures(member_ids: Collection[int], *, months: int, metrics: Collection[str], now: datetime) -> ByMember:
    """Every metric of every member over the months that end with today. A grouped query per source, none per member."""
    zone = clock.programme_zone()
    first, last = window(clock.local_date(now, zone), months)
    since, until = clock.start_of(first, zone), clock.end_of(last, zone)
    found: ByMember = {member_id: dict.fromkeys(METRICS, 0) for member_id in member_ids}
    if not {"spend", "purchases"}.isdisjoint(metrics):
        for member_id, spent in earning.spending(member_ids, since=since, until=until).items():
            found[member_id].update(spend=spent.amount, purchases=spent.purchases)
    for metric, book in (("points_earned", Points.ledger), ("growth", Growth.ledger)):
        if metric in metrics:
            for member_id, earned in ledger.earned_between(member_ids, since=since, until=until, ledger=book).items():
                found[member_id][metric] = max(earned, 0)
    return found
