"""What a comparison adds up to: sums that grow with each member, and are kept as JSON in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from operator import itemgetter
from typing import Any

from app.loyalty.earning.queries import PURCHASE, Cut, PurchaseRule
from app.loyalty.simulation.replay import Ending, Story

BEST = 10


@dataclass(frozen=True, slots=True)
class Change:
    """What the draft means for one member: points on both sides, and the tiers in the end."""

    member_id: int
    before: int
    after: int
    tier_before: str
    tier_after: str

    @property
    def gain(self) -> int:
        return self.after - self.before


@dataclass(slots=True)
class SideSums:
    """One side. ``cuts`` are points that caps and budgets took away, by what took them."""

    points: int = 0
    returned: int = 0
    growth: int = 0
    bonus: int = 0
    ups: int = 0
    downs: int = 0
    months: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    cuts: dict[str, Fraction] = field(default_factory=dict)

    @property
    def net(self) -> int:
        return self.points - self.returned


@dataclass(slots=True)
class Figures:
    """``issued`` and ``issued_returned`` are what happened in life; ``moves`` counts the tiers in the end, in pairs."""

    purchases: int = 0
    members: int = 0
    issued: int = 0
    issued_returned: int = 0
    gaining: int = 0
    losing: int = 0
    gained: int = 0
    lost: int = 0
    months: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    moves: Counter[str] = field(default_factory=Counter)
    best: list[Change] = field(default_factory=list)
    worst: list[Change] = field(default_factory=list)
    now: SideSums = field(default_factory=SideSums)
    draft: SideSums = field(default_factory=SideSums)

    def add(self, story: Story, now: Ending, draft: Ending, names: Mapping[str, Callable[[Cut], str]]) -> None:
        """Count a member in; ``names`` say for each side what took points away."""
        self.members += 1
        self.purchases += len(story.sales)
        for sale in story.sales:
            self.issued += sale.points
            self.issued_returned += sum(back.points for back in sale.backs)
            self.months[f"{sale.local:%Y-%m}"] += sale.points
            self.units[str(sale.unit_id)] += sale.points
        self.moves[f"{now.tier}>{draft.tier}"] += 1
        _add_side(self.now, now, names["now"])
        _add_side(self.draft, draft, names["draft"])
        change = Change(story.member_id, now.net, draft.net, now.tier, draft.tier)
        if change.gain > 0:
            self.gaining += 1
            self.gained += change.gain
            self.best.append(change)
        elif change.gain < 0:
            self.losing += 1
            self.lost -= change.gain
            self.worst.append(change)

    def trim(self) -> None:
        """Keep those who gain and lose most; of equals, whoever has been a member for longer."""
        self.best = sorted(self.best, key=lambda each: (-each.gain, each.member_id))[:BEST]
        self.worst = sorted(self.worst, key=lambda each: (each.gain, each.member_id))[:BEST]

    # --- as JSON

    def dump(self) -> dict[str, Any]:
        self.trim()
        return _dump(self)

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> Figures:
        values = dict(data)
        for name in ("months", "units", "moves"):
            values[name] = Counter(values.get(name, {}))
        for name in ("best", "worst"):
            values[name] = [Change(*each) for each in values.get(name, [])]
        for name in ("now", "draft"):
            values[name] = _load_side(values.get(name, {}))
        return cls(**values)


def _add_side(side: SideSums, ending: Ending, name_of: Callable[[Cut], str]) -> None:
    side.points += ending.points
    side.returned += ending.returned
    side.growth += ending.growth
    side.ups += ending.ups
    side.downs += ending.downs
    side.tiers[ending.tier] += 1
    for told in ending.told:
        sale = told.sale
        side.months[f"{sale.local:%Y-%m}"] += told.points
        side.units[str(sale.unit_id)] += told.points
        side.bonus += told.bonus
        for cut in told.cuts:
            name = name_of(cut)
            side.cuts[name] = side.cuts.get(name, Fraction()) + cut.cut


def _dump(sums: Figures | SideSums) -> dict[str, Any]:
    return {name: _plain(getattr(sums, name)) for name in sums.__slots__}


def _plain(value: Any) -> Any:
    if isinstance(value, SideSums):
        return _dump(value)
    if isinstance(value, Counter):
        return dict(value)
    if isinstance(value, dict):
        return {name: str(each) for name, each in value.items()}
    if isinstance(value, list):
        return [[each.member_id, each.before, each.after, each.tier_before, each.tier_after] for each in value]
    return value


def _load_side(data: Mapping[str, Any]) -> SideSums:
    values = dict(data)
    for name in ("months", "units", "tiers"):
        values[name] = Counter(values.get(name, {}))
    values["cuts"] = {name: Fraction(each) for name, each in values.get("cuts", {}).items()}
    return SideSums(**values)


# --- what took points away ------------------------------------------------------------------


def namer(rule: PurchaseRule) -> Callable[[Cut], str]:
    """What a cut is kept under: the cap's name, or ``budget:`` and the code of the budget that was short."""
    codes = {_key(each.name): f"campaign:{each.code}" for each in rule.campaigns}
    codes |= {_key(each.name): f"bonus:{each.code}" for each in rule.bonuses}

    def name_of(cut: Cut) -> str:
        return f"budget:{codes.get(_key(cut.name), PURCHASE)}" if cut.cap == "budget" else cut.cap

    return name_of


def _key(name: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(name.items())


# --- budgets --------------------------------------------------------------------------------

Wants = dict[str, dict[str, int]]  # By budget and hour: what is taken from it while it lasts.


def hour_of(moment: Any) -> int:
    return int(moment.timestamp()) // 3600


def want(wants: Wants, ending: Ending, dry: Iterable[str]) -> None:
    """Count what a member's purchases take from budgets that are not known to run out."""
    for told in ending.told:
        for code, points in told.spent.items():
            if points and code not in dry:
                by_hour = wants.setdefault(code, {})
                hour = str(hour_of(told.sale.at))
                by_hour[hour] = by_hour.get(hour, 0) + points


def first_dry(wants: Wants, budgets: Mapping[str, int]) -> tuple[int, dict[str, int]] | None:
    """The first hour in which a budget runs out, and what had been taken from each before it; ``None`` if none does."""
    ends = []
    for code, by_hour in wants.items():
        taken = 0
        for hour, points in sorted((int(hour), points) for hour, points in by_hour.items()):
            taken += points
            if taken >= budgets[code]:
                ends.append(hour)
                break
    if not ends:
        return None
    first = min(ends)
    return first, {code: sum(p for h, p in by_hour.items() if int(h) < first) for code, by_hour in wants.items()}


def run_dry(
    taken: Sequence[tuple[Any, str, int]], before: Mapping[str, int], budgets: Mapping[str, int]
) -> tuple[str, Any, int]:
    """In an hour in which a budget runs out: which one first, at which purchase, and what it has left for it.

    ``taken`` are places, budgets and points. Raises ``LookupError`` where none runs out, which would be a bug.
    """
    sums = dict(before)
    for place, code, points in sorted(taken, key=itemgetter(0)):
        room = budgets[code] - sums.get(code, 0)
        if points >= room:
            return code, place, room
        sums[code] = sums.get(code, 0) + points
    raise LookupError("No budget runs out in this hour.")
