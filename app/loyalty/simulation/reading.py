"""From the books to stories: the two sides of a comparison, and what members bought, some members at a time.

Everything is read without locks and by a handful of queries per batch, whatever its size.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.foundation import clock
from app.foundation.money import minor_units
from app.foundation.points import Growth, Points
from app.foundation.terms import made
from app.identity.units.queries import all_units
from app.loyalty.benefits.queries import Benefit, BenefitTerms, Holder, Kind, best, held, holders_then
from app.loyalty.earning.actions import earn_key, grow_key
from app.loyalty.earning.queries import EarningTerms, Factor, PurchaseRule, Spend
from app.loyalty.ledger.queries import awards_on_the_way, earned
from app.loyalty.purchases.queries import came_back, sold_to
from app.loyalty.simulation.models import Simulation
from app.loyalty.simulation.replay import (
    BEGINNER,
    Back,
    Extra,
    Maturity,
    Multiplying,
    Review,
    Ruleset,
    Sale,
    Standing,
    Story,
)
from app.loyalty.tiers.queries import LadderTerms, Stand, Step, TierTerms, full_months, ladder, standing_at

DOMAINS: dict[str, type] = {
    "earning": EarningTerms,
    "benefits": BenefitTerms,
    "ladder": LadderTerms,
    "tiers": TierTerms,
}
NOW, DRAFT = "now", "draft"
SIDES = (NOW, DRAFT)
BEGINNING = date(1970, 1, 2)
INSTANT = timedelta(microseconds=1)
BOOKS = {"points_earned": Points.ledger, "growth": Growth.ledger}


@dataclass(frozen=True)
class Comparison:
    """Both sides, and since when purchases are read. ``edges`` are where months begin, as far as tiers look back."""

    sides: Mapping[str, Ruleset]
    begin: datetime
    end: datetime
    known_by: datetime
    since: datetime
    edges: Sequence[datetime]
    metrics: frozenset[str]
    multipliers: Sequence[Benefit]
    codes: Mapping[int, str]
    units: Mapping[int, str]
    zone: ZoneInfo

    def with_dry(self, dry: Mapping[str, Mapping[str, Any]]) -> Comparison:
        """The same, knowing which budgets run out."""
        return replace(self, sides={name: replace(rules, dry=dry.get(name, {})) for name, rules in self.sides.items()})


def compare(simulation: Simulation) -> Comparison:
    """What is compared, made of the values that were kept with the simulation."""
    zone = clock.programme_zone()
    begin, end = clock.start_of(simulation.first_day, zone), clock.end_of(simulation.last_day, zone)
    sides: dict[str, Ruleset] = {}
    benefits: list[Benefit] = []
    for side, values in ((NOW, simulation.in_force), (DRAFT, simulation.draft)):
        earning = made(EarningTerms, values["earning"])
        tiers, tier_terms = made(LadderTerms, values["ladder"]), made(TierTerms, values["tiers"])
        mine = [each for each in made(BenefitTerms, values["benefits"]).all if each.kind is Kind.MULTIPLIER]
        benefits += mine
        sides[side] = Ruleset(
            begin=begin,
            local_begin=begin.astimezone(zone).replace(tzinfo=None),
            purchase=earning.purchase(0),
            ladder=tiers.steps,
            codes=[tier["code"] for tier in tiers.tiers],
            reviews=_reviews(simulation, tier_terms.review_day, tiers.steps, zone),
            multiplier=_multiplier(mine, {tier["code"]: tier["name"] for tier in tiers.tiers}) if mine else None,
            returns_at_once=tier_terms.returns == "at_once",
        )
    all_steps = [step for side in sides.values() for step in side.ladder]
    looks_back = _looks_back(simulation.first_day, all_steps)
    return Comparison(
        sides=sides,
        begin=begin,
        end=end,
        known_by=simulation.asked_at,
        since=clock.start_of(
            min([looks_back, *(_needs(simulation.first_day, each.purchase) for each in sides.values())]), zone
        ),
        edges=_edges(looks_back, begin, end, zone),
        metrics=frozenset(_metrics(all_steps)),
        multipliers=benefits,
        codes={tier.id: tier.code for tier in ladder()},
        units={unit.id: unit.code for unit in all_units()},
        zone=zone,
    )


def _metrics(all_steps: Sequence[Step]) -> Iterator[str]:
    for step in all_steps:
        yield from (condition.metric for condition in step.requirement.conditions)
        yield from step.keep.metrics


def _reviews(simulation: Simulation, day: int, all_steps: Sequence[Step], zone: ZoneInfo) -> list[Review]:
    """Those that fall into the period."""
    found, month = [], simulation.first_day.replace(day=1)
    while month <= simulation.last_day:
        today = month.replace(day=day)
        if simulation.first_day <= today <= simulation.last_day:
            windows = {step.keep.window_months for step in all_steps}
            begins = {months: clock.start_of(full_months(month, months)[0], zone) for months in windows}
            local = datetime(today.year, today.month, today.day)  # noqa: DTZ001 - local time, without a zone
            found.append(Review(clock.start_of(today, zone), local, clock.start_of(month, zone), begins))
        month = clock.first_of_month(month, 1)
    return found


def _multiplier(benefits: Sequence[Benefit], names: Mapping[str, Mapping[str, str]]) -> Multiplying:
    """As ``benefits.queries.multipliers``, for a tier that is only thought of."""
    timeless = not any(each.starts or each.ends for each in benefits)
    known: dict[Any, Factor | None] = {}

    def multiplier(tier: str, sale: Sale) -> Factor | None:
        key = (tier, sale.unit, sale.tags, sale.given)
        if timeless and key in known:
            return known[key]
        mine = held(benefits, Holder(tier, sale.tags, dict.fromkeys(sale.given, ())), sale.local)
        benefit = best(mine, Kind.MULTIPLIER, sale.unit)
        found = None
        if benefit is not None and benefit.value != 1:
            found = Factor("tier", names[tier] if tier in benefit.tiers else benefit.name, benefit.value)
        known[key] = found
        return found

    return multiplier


def _looks_back(first_day: date, all_steps: Sequence[Step]) -> date:
    """As far as tiers look back from the first day."""
    months = max((max(step.requirement.window_months, step.keep.window_months) for step in all_steps), default=0)
    return clock.first_of_month(first_day, -months)


def _needs(first_day: date, rule: PurchaseRule) -> date:
    """From which day on a rule counts purchases for one made on the first day."""
    periods = {*rule.caps.periods, *(bonus.period for bonus in rule.bonuses)}
    if periods & {"total", "ever"}:
        return BEGINNING
    return first_day.replace(month=1, day=1) if "year" in periods else first_day.replace(day=1)


def _edges(looks_back: date, begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    edges, month = {begin, end}, looks_back
    while (edge := clock.start_of(month, zone)) < end:
        edges.add(edge)
        month = clock.first_of_month(month, 1)
    return sorted(edges)


# --- stories --------------------------------------------------------------------------------


def stories(member_ids: Sequence[int], comparison: Comparison) -> list[Story]:
    """What these members bought, in the order in which they did."""
    sales = _sales(member_ids, comparison)
    _attach_holders(sales, comparison)
    extras = _extras(sales, comparison)
    begin = comparison.begin
    standing = standing_at(member_ids, begin)
    found = []
    for member_id, mine in sales.items():
        more = extras.get(member_id, [])
        found.append(
            Story(
                member_id=member_id,
                before=[sale for sale in mine if sale.at < begin],
                sales=[sale for sale in mine if sale.at >= begin],
                earlier=[each for each in more if each.at < begin],
                extras=[each for each in more if each.at >= begin],
                start=_standing(standing.get(member_id), comparison),
            )
        )
    return found


def _sales(member_ids: Sequence[int], comparison: Comparison) -> dict[int, list[Sale]]:
    zone, units = comparison.zone, comparison.units
    times = {"since": comparison.since, "until": comparison.end, "known_by": comparison.known_by}
    on_the_way = awards_on_the_way(member_ids, kind="purchase")
    minors: dict[str, int] = {}
    by_id: dict[int, Sale] = {}
    found: dict[int, list[Sale]] = {}
    sale: Sale | None = None
    for row in sold_to(member_ids, **times):
        number, member_id, unit_id, order_no, at, currency, amount, points, growth, bonuses, category, sku, line = row
        if sale is None or sale.id != number:
            minor = minors.get(currency) or minors.setdefault(currency, minor_units(currency))
            local = at.astimezone(zone).replace(tzinfo=None)
            at, unit = at.astimezone(UTC), units[unit_id]
            sale = Sale(number, at, local, unit_id, unit, minor, amount, points, growth, tuple(bonuses))
            for key in _keys(unit, order_no) if on_the_way else ():
                if key in on_the_way:
                    sale.pending, sale.maturity = True, _maturity(sale, on_the_way[key], comparison)
            by_id[number] = sale
            found.setdefault(member_id, []).append(sale)
        if line is not None:
            sale.lines.append(Spend(line, category, sku))
    for number, at, position, amount, points in came_back(member_ids, known_by=comparison.known_by):
        if number in by_id:
            bought = by_id[number]
            # A till's clock may be ahead: nothing comes back before it was bought.
            moment = max(at, bought.at)
            local = moment.astimezone(zone).replace(tzinfo=None)
            bought.backs.append(Back(moment, local, position, amount, points))
    return found


def _keys(unit: str, order_no: str) -> tuple[str, str]:
    """Of a purchase's points and of its growth, which mature together; either may be nothing."""
    return earn_key(unit, order_no), grow_key(unit, order_no)


def _maturity(sale: Sale, posted_at: datetime | None, comparison: Comparison) -> Maturity | None:
    if posted_at is None or posted_at >= comparison.end:
        return None
    moment = max(posted_at, sale.at)  # A till's clock may be ahead.
    return Maturity(moment, moment.astimezone(comparison.zone).replace(tzinfo=None))


def _attach_holders(sales: Mapping[int, Sequence[Sale]], comparison: Comparison) -> None:
    """Tags and benefits given by hand, as they were when something was bought."""
    if not comparison.multipliers:
        return
    begin = comparison.begin
    asked = [(member_id, sale) for member_id, mine in sales.items() for sale in mine if sale.at >= begin]
    holders = holders_then([(member_id, sale.at) for member_id, sale in asked], comparison.multipliers, {})
    for (_member_id, sale), holder in zip(asked, holders, strict=True):
        sale.tags, sale.given = holder.tags, frozenset(holder.given)


def _extras(sales: Mapping[int, Sequence[Sale]], comparison: Comparison) -> dict[int, list[Extra]]:
    """What members earned by anything but purchases, by month: all that the books know, less what purchases brought."""
    edges, zone = comparison.edges, comparison.zone
    found: dict[int, dict[int, dict[str, int]]] = {}
    for metric, book in BOOKS.items():
        if metric not in comparison.metrics:
            continue
        for member_id, by_piece in earned(list(sales), edges=edges, ledger=book).items():
            bought = _bought(sales[member_id], metric, edges)
            for piece, amount in by_piece.items():
                if amount > bought.get(piece, 0):
                    mine = found.setdefault(member_id, {}).setdefault(piece, {})
                    mine[metric] = amount - bought.get(piece, 0)
    return {
        member_id: [
            Extra(
                at=edges[piece + 1] - INSTANT,
                local=(edges[piece + 1] - INSTANT).astimezone(zone).replace(tzinfo=None),
                points=sums.get("points_earned", 0),
                growth=sums.get("growth", 0),
            )
            for piece, sums in sorted(pieces.items())
        ]
        for member_id, pieces in found.items()
    }


def _bought(sales: Sequence[Sale], metric: str, edges: Sequence[datetime]) -> dict[int, int]:
    """What purchases really brought, less what came back, in the pieces between the edges in which it counts."""
    found: dict[int, int] = {}
    for sale in sales:
        moment = sale.counts_at
        if moment is None or not edges[0] <= moment < edges[-1]:
            continue
        piece = bisect_right(edges, moment) - 1
        if metric == "growth":
            back = sum(each.amount for each in sale.backs)
            brought = sale.growth - (sale.growth * back // sale.amount if back else 0)
        else:
            brought = sale.points - sum(each.points for each in sale.backs)
        found[piece] = found.get(piece, 0) + brought
    return found


def _standing(stand: Stand | None, comparison: Comparison) -> Standing:
    if stand is None:
        return BEGINNER
    return Standing(
        tier=comparison.codes[stand.tier_id],
        since=stand.since,
        counts_from=clock.start_of(stand.lowered, comparison.zone) if stand.lowered else None,
        floor=comparison.codes[stand.floor_id],
    )
