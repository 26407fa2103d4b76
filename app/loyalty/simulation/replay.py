"""What one member's purchases would have brought under given rules, told again in the order of time.

Pure: a member's story and the rules in, what would have been out. Each purchase is valued by the very function that
values purchases in life; caps, bonuses and the tier are carried along, so that what one purchase changes is
what the next one meets. Budgets, which all members share, come with the purchase at which each of them runs out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from heapq import merge
from typing import cast

from app.loyalty.earning.queries import Circumstances, Cut, Factor, PurchaseRule, Spend, purchase_points
from app.loyalty.tiers.queries import METRICS, Figures, Step, highest, window

PLENTY = 2**62  # What a budget has left that does not run out.
Place = tuple[datetime, int]  # A purchase among all others: when, and its id among those of the same moment.


# --- what was -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Back:
    """What came back of the line at ``position``, counted from 1, and what that had earned in life."""

    at: datetime
    local: datetime
    position: int
    amount: int
    points: int


@dataclass(frozen=True, slots=True)
class Maturity:
    """From when on counts what a purchase brings that was on the way."""

    at: datetime
    local: datetime


@dataclass(slots=True)
class Sale:
    """A purchase as it is on record. ``local`` is its moment in the programme's timezone, without a zone.

    What one that is ``pending`` brings counts for the tier from its maturity on, if it ever matured.
    ``tags`` are those that the member had then, ``given`` the benefits given to them by hand.
    """

    id: int
    at: datetime
    local: datetime
    unit_id: int
    unit: str
    minor: int
    amount: int
    points: int
    growth: int
    bonuses: tuple[str, ...] = ()
    lines: list[Spend] = field(default_factory=list)
    backs: list[Back] = field(default_factory=list)
    tags: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()
    pending: bool = False
    maturity: Maturity | None = None

    @property
    def counts_at(self) -> datetime | None:
        """When what it brings began to count."""
        if self.pending:
            return self.maturity.at if self.maturity else None
        return self.at

    @property
    def place(self) -> Place:
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Extra:
    """What a member earned in a month by anything but purchases, counted at its end."""

    at: datetime
    local: datetime
    points: int
    growth: int


@dataclass(frozen=True, slots=True)
class Standing:
    """On which tier a member stands, by its code. ``floor`` is the one on which the present climb began."""

    tier: str = ""
    since: datetime | None = None
    counts_from: datetime | None = None
    floor: str = ""


BEGINNER = Standing()


@dataclass(frozen=True, slots=True)
class Story:
    """``before`` and ``earlier`` are purchases and extras from before the period.

    They are not valued anew, but caps, bonuses and tiers count them.
    """

    member_id: int
    sales: Sequence[Sale]
    before: Sequence[Sale] = ()
    extras: Sequence[Extra] = ()
    earlier: Sequence[Extra] = ()
    start: Standing = BEGINNER


# --- the rules ------------------------------------------------------------------------------

Multiplying = Callable[[str, Sale], Factor | None]  # What the benefits of a tier multiply a purchase by.


@dataclass(frozen=True, slots=True)
class Review:
    """A monthly review. Whoever is lowered climbs anew from ``anew``; ``begins`` is where windows of months begin."""

    at: datetime
    local: datetime
    anew: datetime
    begins: Mapping[int, datetime]


@dataclass(frozen=True)
class Ruleset:
    """One side of a comparison. ``dry`` is the purchase at which a budget runs out, and what it has left for it."""

    begin: datetime
    local_begin: datetime
    purchase: PurchaseRule
    ladder: Sequence[Step] = ()
    codes: Sequence[str] = ()
    reviews: Sequence[Review] = ()
    multiplier: Multiplying | None = None
    returns_at_once: bool = False
    dry: Mapping[str, tuple[Place, int]] = field(default_factory=dict)

    @cached_property
    def windows(self) -> tuple[int, ...]:
        return tuple({step.requirement.window_months for step in self.ladder})

    @cached_property
    def budgets(self) -> tuple[str, ...]:
        return tuple(self.purchase.budgets)

    def step_of(self, tier: str) -> int:
        """Where a tier stands on this ladder; the first step where it does not."""
        return self.codes.index(tier) if tier in self.codes else 0

    def left(self, place: Place) -> dict[str, int]:
        """What the budgets have for the purchase at this place."""
        left = dict.fromkeys(self.budgets, PLENTY)
        for code, (end, room) in self.dry.items():
            left[code] = PLENTY if place < end else room if place == end else 0
        return left


# --- what would have been -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A purchase and what it would have brought, ``bonus`` among its points."""

    sale: Sale
    points: int
    growth: int
    bonus: int
    cuts: tuple[Cut, ...]
    spent: Mapping[str, int]


@dataclass(slots=True)
class Ending:
    """What would have become of a member. ``returned`` are points that went back with what was bought."""

    told: list[Told] = field(default_factory=list)
    tier: str = ""
    ups: int = 0
    downs: int = 0
    points: int = 0
    returned: int = 0
    growth: int = 0

    @property
    def net(self) -> int:
        return self.points - self.returned


def replay(story: Story, rules: Ruleset) -> Ending:
    """Tell this member's purchases again."""
    return _Teller(story, rules).tell()


@dataclass(slots=True)
class _Fact:
    """What counts for the tier: on a day and in a month, both as plain numbers."""

    at: datetime
    day: int
    month: int
    figures: dict[str, int]


@dataclass(slots=True)
class _Bought:
    """A purchase as far as it is kept. ``shares`` is what each line brought, ``earned`` the fact of its maturity."""

    fact: int
    earned: int | None
    amount: int
    points: int
    growth: int
    shares: Sequence[int]
    bonuses: Sequence[str] = ()
    gone: dict[int, int] = field(default_factory=dict)


Event = Sale | Review | Extra | tuple[Sale, Back | Maturity]


class _Teller:
    def __init__(self, story: Story, rules: Ruleset) -> None:
        self.story, self.rules, self.rule = story, rules, rules.purchase
        self.ending = Ending()
        start = story.start
        self.step, self.since = rules.step_of(start.tier), start.since
        self.floor, self.counts_from = rules.step_of(start.floor), start.counts_from
        self.doubtful = False
        self.facts: list[_Fact] = []
        self.bought: dict[int, _Bought] = {}
        self.edges = dict.fromkeys(rules.windows, 0)
        self.sums = {months: dict.fromkeys(METRICS, 0) for months in rules.windows}
        self.used: dict[str, defaultdict[object, int]] = {cap: defaultdict(int) for cap in self.rule.caps.periods}
        self.counts: dict[str, Counter[object]] = {bonus.code: Counter() for bonus in self.rule.bonuses}
        self.held: Counter[tuple[str, object]] = Counter()

    def tell(self) -> Ending:
        self._recall()
        self._climb(self.rules.begin, self.rules.local_begin)  # A ladder that asks for less is climbed at once.
        for event in self._events():
            if isinstance(event, Sale):
                self._sell(event)
            elif isinstance(event, Review):
                if self.step:
                    self._review(event)
            elif isinstance(event, Extra):
                self._add(event)
                self._climb(event.at, event.local)
            elif isinstance(event[1], Back):
                self._return(event[0], event[1])
            else:
                self._mature(event[0], event[1])
                self._climb(event[1].at, event[1].local)
        self.ending.tier = self._tier
        return self.ending

    def _recall(self) -> None:
        """What came before the period."""
        past: list[Sale | Extra | tuple[Sale, Maturity]] = [
            *self.story.before,
            *self.story.earlier,
            *((sale, matured) for sale, matured in self._maturing() if matured.at < self.rules.begin),
        ]
        for each in sorted(past, key=_when):
            if isinstance(each, Extra):
                self._add(each)
            elif isinstance(each, Sale):
                self._keep(each, each.points, each.growth, (), each.bonuses)
            else:
                self._mature(*each)
        for sale in self.story.before:
            for back in sale.backs:
                if back.at < self.rules.begin:
                    self._lessen(sale, back)

    def _maturing(self) -> list[tuple[Sale, Maturity]]:
        sales = (*self.story.before, *self.story.sales)
        return [(sale, sale.maturity) for sale in sales if sale.maturity]

    def _events(self) -> Iterator[Event]:
        """What happens in the period, in the order of time. Of one moment, a review comes first, a return late."""
        story, begin = self.story, self.rules.begin
        backs = [
            (back.at, (sale, back)) for sale in (*story.before, *story.sales) for back in sale.backs if back.at >= begin
        ]
        lanes = (
            [(each.at, each) for each in self.rules.reviews],
            [(each.at, each) for each in story.sales],
            sorted(backs, key=_moment),
            sorted(((each.at, (sale, each)) for sale, each in self._maturing() if each.at >= begin), key=_moment),
            [(each.at, each) for each in story.extras],
        )
        return (
            cast("Sale | Review | Extra | tuple[Sale, Back | Maturity]", event)
            for _at, event in merge(*lanes, key=_moment)
        )

    @property
    def _tier(self) -> str:
        return self.rules.codes[self.step] if self.rules.codes else ""

    # --- purchases

    def _sell(self, sale: Sale) -> None:
        rule, rules = self.rule, self.rules
        tier = None
        if rules.multiplier:
            tier = rules.multiplier(self._tier, sale)
        if rule.limited:
            at = Circumstances(
                local=sale.local,
                tier=tier,
                used={cap: used[_period(cap, sale.local)] for cap, used in self.used.items()},
                left=rules.left(sale.place),
                counts={
                    bonus.code: 1 + self.counts[bonus.code][_period(bonus.period, sale.local)] for bonus in rule.bonuses
                },
                held=frozenset(
                    bonus.code for bonus in rule.bonuses if self.held[bonus.code, _period(bonus.period, sale.local)]
                ),
            )
        else:
            at = Circumstances(local=sale.local, tier=tier)
        award = purchase_points(sale.lines, rule, unit=sale.unit, minor_units=sale.minor, at=at)
        # As purchase_growth, without making fractions.
        growth = sale.amount * rule.growth.numerator // (rule.growth.denominator * sale.minor)
        bonus = sum(given.points for given in award.bonuses) if award.bonuses else 0
        ending = self.ending
        ending.told.append(Told(sale, award.points, growth, bonus, award.cuts, award.spent))
        ending.points += award.points
        ending.growth += growth
        self._keep(sale, award.points, growth, award.shares, award.codes)
        self._climb(sale.at, sale.local)

    def _keep(self, sale: Sale, points: int, growth: int, shares: Sequence[int], bonuses: Sequence[str] = ()) -> None:
        """Remember a purchase for what comes after it."""
        place = len(self.facts)
        earned = None if sale.pending else place
        self.bought[sale.id] = _Bought(place, earned, sale.amount, points, growth, shares, bonuses)
        self._hold(sale, bonuses, +1)
        if sale.pending:
            self._fact(sale.at, sale.local, spend=sale.amount, purchases=1)
        else:
            self._fact(sale.at, sale.local, spend=sale.amount, purchases=1, points_earned=points, growth=growth)
        for cap, used in self.used.items():
            used[_period(cap, sale.local)] += points
        for bonus in self.rule.bonuses:
            self.counts[bonus.code][_period(bonus.period, sale.local)] += sale.amount >= max(bonus.at_least, 1)

    def _hold(self, sale: Sale, codes: Sequence[str], change: int) -> None:
        for bonus in self.rule.bonuses:
            if bonus.code in codes:
                self.held[bonus.code, _period(bonus.period, sale.local)] += change

    def _mature(self, sale: Sale, matured: Maturity) -> None:
        """What it brings and did not go back before counts from now on."""
        kept = self.bought[sale.id]
        gone = sum(kept.gone.values())
        growth = kept.growth - (kept.growth * gone // sale.amount if gone else 0)
        kept.earned = len(self.facts)
        self._fact(matured.at, matured.local, points_earned=kept.points, growth=growth)

    def _return(self, sale: Sale, back: Back) -> None:
        points = self._lessen(sale, back)
        if sale.at >= self.rules.begin:
            self.ending.returned += points
        self.doubtful = True
        if self.rules.returns_at_once and self.step:
            target = self._without(back.local)
            if target < self.step:
                self._move(target, back.at)

    def _lessen(self, sale: Sale, back: Back) -> int:
        """Something came back: it counts as if it had not been bought. Answers the points that go with it."""
        kept = self.bought[sale.id]
        points = back.points
        if kept.shares:
            gone, line = kept.gone.get(back.position, 0), sale.lines[back.position - 1].amount
            share = kept.shares[back.position - 1]
            points = share * (gone + back.amount) // line - share * gone // line
        kept.gone[back.position] = kept.gone.get(back.position, 0) + back.amount
        all_gone = sum(kept.gone.values())
        growth = kept.growth * all_gone // sale.amount - kept.growth * (all_gone - back.amount) // sale.amount
        for cap, used in self.used.items():
            used[_period(cap, sale.local)] -= points
        for bonus in self.rule.bonuses:
            least = max(bonus.at_least, 1)
            if kept.amount >= least > kept.amount - back.amount:
                self.counts[bonus.code][_period(bonus.period, sale.local)] -= 1
        kept.amount -= back.amount
        kept.points -= points
        if not kept.amount:
            self._hold(sale, kept.bonuses, -1)
        whole = 1 if not kept.amount else 0
        self._less(kept.fact, {"spend": back.amount, "purchases": whole})
        if kept.earned is not None:
            self._less(kept.earned, {"points_earned": points, "growth": growth})
        return points

    # --- tiers

    def _add(self, extra: Extra) -> None:
        self._fact(extra.at, extra.local, points_earned=extra.points, growth=extra.growth)

    def _fact(self, at: datetime, local: datetime, **figures: int) -> None:
        self.facts.append(_Fact(at, local.toordinal(), local.year * 12 + local.month, figures))
        for sums in self.sums.values():
            for metric, value in figures.items():
                sums[metric] += value

    def _less(self, place: int, figures: Mapping[str, int]) -> None:
        for metric, value in figures.items():
            self.facts[place].figures[metric] -= value
        for months, edge in self.edges.items():
            if place >= edge:
                for metric, value in figures.items():
                    self.sums[months][metric] -= value

    def _figures(self, local: datetime) -> dict[int, Figures]:
        """What counts on this day in each window by which a tier is reached. Days only ever go forward."""
        for months in self.edges:
            first, edge, sums = _window_begin(local.toordinal(), months), self.edges[months], self.sums[months]
            while edge < len(self.facts) and self._is_over(self.facts[edge], first):
                for metric, value in self.facts[edge].figures.items():
                    sums[metric] -= value
                edge += 1
            self.edges[months] = edge
        return cast("dict[int, Figures]", self.sums)

    def _is_over(self, fact: _Fact, first: int) -> bool:
        return fact.day < first or (self.counts_from is not None and fact.at < self.counts_from)

    def _climb(self, at: datetime, local: datetime) -> None:
        """Up at once, by several steps if need be."""
        ladder = self.rules.ladder
        if self.step + 1 < len(ladder):
            step = highest(ladder, self._figures(local), above=ladder[self.step].rank)
            if step is not None:
                self._move(ladder.index(step), at)

    def _review(self, review: Review) -> None:
        """Down by one step: whoever did not keep their tier, or would not have reached it without what came back."""
        keep = self.rules.ladder[self.step].keep
        looked_at = keep.conditions and self.since is not None and self.since < review.begins[keep.window_months]
        if looked_at and not keep.kept(self._by_month(review.local.date(), keep.window_months)):
            self._move(self.step - 1, review.at)
            self.counts_from, self.floor, self.doubtful = review.anew, self.step, False
        elif self.doubtful:
            if self._without(review.local) < self.step:
                self._move(self.step - 1, review.at)
            else:
                self.doubtful = False

    def _without(self, local: datetime) -> int:
        """Where a member belongs who gave something back: not below where the present climb began."""
        ladder = self.rules.ladder
        keep = ladder[self.step].keep
        if keep.conditions and keep.kept(self._by_month(local.date(), keep.window_months)):
            return self.step
        reached = highest(ladder, self._figures(local), above=0)
        return max(ladder.index(reached) if reached else 0, self.floor)

    def _by_month(self, month: date, months: int) -> list[dict[str, int]]:
        """The figures of the full months before this one."""
        last = month.year * 12 + month.month
        found = [dict.fromkeys(METRICS, 0) for _ in range(months)]
        for fact in reversed(self.facts):
            place = fact.month - last + months
            if place < 0:
                break
            if place < months:
                for metric, value in fact.figures.items():
                    found[place][metric] += value
        return found

    def _move(self, step: int, at: datetime) -> None:
        if step > self.step:
            self.ending.ups += 1
        else:
            self.ending.downs += 1
        self.step, self.since = step, at


def _when(event: Sale | Extra | tuple[Sale, Maturity]) -> datetime:
    return event[1].at if isinstance(event, tuple) else event.at


def _moment(event: tuple[datetime, object]) -> datetime:
    return event[0]


def _period(period: str, local: datetime) -> object:
    """What stands for the day, month or year of a moment; ``total`` and ``ever`` are one."""
    if period == "day":
        return local.toordinal()
    if period == "month":
        return local.year * 12 + local.month
    return local.year if period == "year" else None


@lru_cache(maxsize=8192)
def _window_begin(today: int, months: int) -> int:
    return window(date.fromordinal(today), months)[0].toordinal()


__all__ = ["Back", "Ending", "Extra", "Maturity", "Review", "Ruleset", "Sale", "Standing", "Story", "Told", "replay"]
