"""What the "Earn points" page has to know of a member's purchases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from app.foundation import clock
from app.foundation.languages import translated
from app.identity.units.queries import all_units
from app.loyalty.benefits.queries import Shopping, multipliers
from app.loyalty.earning.queries import first_day, purchase_rule
from app.loyalty.purchases.queries import Kept, kept_by

if TYPE_CHECKING:
    from app.loyalty.benefits.queries import Multiplier
    from app.loyalty.earning.rules import PurchaseRule

EVER = date(1970, 1, 2)


@dataclass(frozen=True, slots=True)
class Purchases:
    """The rule for purchases in force, and what a member did under it.

    ``counts`` is how many purchases of the present period count towards each bonus, by its code; ``units`` are the
    names of those that are open, by code; ``local`` is the programme's time.
    """

    rule: PurchaseRule
    units: Mapping[str, str]
    local: datetime
    multiplier: Multiplier | None
    counts: Mapping[str, int]
    points_today: int


def purchases_of(member_id: int, *, now: datetime) -> Purchases:
    """A handful of queries, whatever the member's history; one more where a rule looks at what came before."""
    rule, zone = purchase_rule(now), clock.programme_zone()
    units = {unit.code: translated(unit.name) for unit in all_units() if unit.active}
    kept = _kept(member_id, rule, now)
    mine = [each for each in multipliers([Shopping(member_id, code, now) for code in units]) if each]
    today = clock.start_of(clock.local_date(now, zone), zone)
    return Purchases(
        rule=rule,
        units=units,
        local=now.astimezone(zone).replace(tzinfo=None),
        multiplier=max(mine, key=lambda each: each.times, default=None),
        counts={
            bonus.code: sum(each.amount >= max(bonus.at_least, 1) for each in _since(kept, bonus.period, now))
            for bonus in rule.bonuses
        },
        points_today=sum(each.points for each in kept if each.occurred_at >= today),
    )


def _kept(member_id: int, rule: PurchaseRule, now: datetime) -> list[Kept]:
    periods = {bonus.period for bonus in rule.bonuses} | ({"day"} if rule.caps.day is not None else set())
    if not periods:
        return []
    return kept_by([member_id], since=min(_begin(period, now) for period in periods), until=now + timedelta(seconds=1))


def _since(kept: list[Kept], period: str, now: datetime) -> list[Kept]:
    begin = _begin(period, now)
    return [each for each in kept if each.occurred_at >= begin]


def _begin(period: str, now: datetime) -> datetime:
    zone = clock.programme_zone()
    return clock.start_of(max(first_day(period, clock.local_date(now, zone)), EVER), zone)
