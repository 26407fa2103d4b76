"""How many points a purchase, or anything else that earns, is worth.

Pure: the rule and the circumstances in, points and their reasons out. Whole numbers and fractions only: no
amount ever passes through a float. Times of day are those of the programme's timezone, without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import ceil

from app.foundation.clock import first_of_month

PURCHASE = "purchase"
PERIODS = ("month", "year", "ever")
FOR_EVER = ("ever", "total")  # As bonuses and milestones, and as caps, say it.
BEGINNING, END = date(1970, 1, 1), date(9999, 1, 1)

# The more exactly a rate says what it is for, the more it counts.
_WEIGHT = {"unit": 1, "category": 2, "sku": 4}
Names = Mapping[str, str]


# --- the rule -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What something is for: everything, or only a unit, a category, an article, or several of these at once."""

    unit: str | None = None
    category: str | None = None
    sku: str | None = None

    @property
    def weight(self) -> int:
        return sum(weight for name, weight in _WEIGHT.items() if getattr(self, name) is not None)

    def fits(self, *, unit: str, category: str, sku: str) -> bool:
        return self.unit in (None, unit) and self.category in (None, category) and self.sku in (None, sku)


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Rate:
    """Points per major unit of money."""

    points: Fraction
    scope: Scope = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Points times so many, in a window of local time, on some days of the month or of the week (Monday is 0).

    ``budget`` is how many points it may bring in addition, to all members together.
    """

    code: str
    name: Names
    times: Fraction
    scope: Scope = EVERYTHING
    days: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    starts: datetime | None = None
    ends: datetime | None = None
    budget: int | None = None

    def runs(self, local: datetime) -> bool:
        """``ends`` is the first moment that no longer belongs to it."""
        if (self.starts and local < self.starts) or (self.ends and local >= self.ends):
            return False
        return (not self.days or local.day in self.days) and (not self.weekdays or local.weekday() in self.weekdays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bonus:
    """Points for the ``nth`` purchase of a ``period``, of those worth ``at_least`` minor units."""

    code: str
    name: Names
    nth: int
    period: str
    points: int
    at_least: int = 0
    budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that a rule gives one member: for one purchase, in a day, in a month, altogether. ``None``: no cap."""

    purchase: int | None = None
    day: int | None = None
    month: int | None = None
    total: int | None = None

    def __bool__(self) -> bool:
        return any(cap is not None for cap in (self.purchase, self.day, self.month, self.total))

    @property
    def periods(self) -> list[str]:
        """Those for which one has to know what the member had before."""
        return [name for name in ("day", "month", "total") if getattr(self, name) is not None]


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class PurchaseRule:
    """One version of the rule. ``rates`` stand in the order in which they are tried; the last fits everything.

    ``growth`` is the growth value per major unit of money, whatever was bought and wherever. ``budget`` is the most
    that purchases may bring to all members together.
    """

    version: int
    rates: tuple[Rate, ...]
    growth: Fraction
    campaigns: tuple[Campaign, ...] = ()
    bonuses: tuple[Bonus, ...] = ()
    caps: Caps = NO_CAPS
    budget: int | None = None

    def rate_for(self, *, unit: str, category: str, sku: str) -> Fraction:
        return next(rate.points for rate in self.rates if rate.scope.fits(unit=unit, category=category, sku=sku))

    @property
    def budgets(self) -> dict[str, int]:
        """By the code under which what was used is counted."""
        asked = {PURCHASE: self.budget} | {f"campaign:{each.code}": each.budget for each in self.campaigns}
        asked |= {f"bonus:{each.code}": each.budget for each in self.bonuses}
        return {code: budget for code, budget in asked.items() if budget is not None}

    @property
    def limited(self) -> bool:
        """Does what a purchase brings depend on what was there before it?"""
        return bool(self.caps.periods or self.bonuses or self.budgets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A fixed number of points for something that is no purchase."""

    kind: str
    points: int
    caps: Caps = NO_CAPS
    budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """Whoever earns so many points in a period is given points, or a benefit to claim, once per period."""

    code: str
    name: Names
    earn: int
    period: str
    points: int = 0
    benefit: str = ""
    budget: int | None = None


# --- the circumstances ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Factor:
    """What points are multiplied by, and why: the tier's benefit or a campaign."""

    kind: str
    name: Names
    by: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a purchase's points depend on besides the rule and the lines.

    ``local`` is when it happened; ``tier`` what the member's benefits multiply by; ``used`` what the member had
    from this rule before, by ``day``, ``month`` and ``total``; ``left`` what is left of each budget, by its code;
    ``counts`` which purchase of its period this one is, by the bonus's code, and ``held`` are the bonuses that
    another purchase of the period still has: whoever returns the first of three does not get the third's once more.
    """

    local: datetime | None = None
    tier: Factor | None = None
    used: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    held: frozenset[str] = frozenset()


PLAIN = Circumstances()


@dataclass(frozen=True, slots=True)
class Spend:
    """A line as far as points are concerned. ``amount`` in minor units."""

    amount: int
    category: str = ""
    sku: str = ""


# --- the result -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Portion:
    """What was spent at one rate with the same factors, and what that gives before anything is rounded."""

    amount: int
    rate: Fraction
    exact: Fraction
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cap or a budget took away. ``cap`` is ``purchase``, ``day``, ``month``, ``total`` or ``budget``."""

    cap: str
    most: int
    left: int
    cut: Fraction
    name: Names = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """A bonus that was given."""

    code: str
    name: Names
    nth: int
    period: str
    points: int


@dataclass(frozen=True, slots=True)
class PurchaseAward:
    """``points`` for the whole purchase; ``shares`` per line sum to it; ``exact`` is what was rounded down.

    ``spent`` is what it takes from each budget, by its code.
    """

    points: int
    shares: tuple[int, ...]
    portions: tuple[Portion, ...]
    exact: Fraction
    bonuses: tuple[Given, ...] = ()
    cuts: tuple[Cut, ...] = ()
    spent: Mapping[str, int] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """Of the bonuses in it."""
        return tuple(given.code for given in self.bonuses)


# --- points of a purchase -------------------------------------------------------------------


def purchase_points(
    lines: Sequence[Spend], rule: PurchaseRule, *, unit: str, minor_units: int, at: Circumstances = PLAIN
) -> PurchaseAward:
    """floor(Σ amount × rate × tier × campaign), bonuses added, then capped; shared out over the lines.

    Rounded once for the purchase. ``minor_units`` is how many of them make a major unit: 100 for yuan, 1 for yen.
    """
    rates = [rule.rate_for(unit=unit, category=line.category, sku=line.sku) for line in lines]
    times = at.tier.by if at.tier else Fraction(1)
    plain = [line.amount * rate * times / minor_units for line, rate in zip(lines, rates, strict=True)]
    campaigns = _campaigns(lines, plain, _running(rule, at), at.left, unit=unit)
    terms = list(zip(rates, campaigns, strict=True))
    exact = [value * campaign.times if campaign else value for value, campaign in zip(plain, campaigns, strict=True)]
    portions = _portions(lines, terms, exact, at.tier)
    spent: dict[str, int] = {}
    cuts = _cut_campaigns(exact, plain, campaigns, at.left, spent)
    total = sum(exact, Fraction())
    bonuses, cut_bonuses = _bonuses(rule, sum(line.amount for line in lines), at, spent)
    earned = total.numerator // total.denominator
    extra = sum(given.points for given in bonuses)
    points, cut_points = capped(earned + extra, rule.caps, rule.budget, used=at.used, left=at.left.get(PURCHASE, 0))
    _give_back_what_was_cut(spent, earned + extra - points)
    if rule.budget is not None:
        spent[PURCHASE] = points
    shares = _shares(lines, exact, extra, points, uncut=points == earned)
    return PurchaseAward(points, shares, portions, total, bonuses, (*cuts, *cut_bonuses, *cut_points), spent)


def _running(rule: PurchaseRule, at: Circumstances) -> list[Campaign]:
    """Those that could multiply something now."""
    if not rule.campaigns or at.local is None:
        return []
    return [each for each in rule.campaigns if each.runs(at.local)]


def _campaigns(
    lines: Sequence[Spend],
    plain: Sequence[Fraction],
    running: Sequence[Campaign],
    left: Mapping[str, int],
    *,
    unit: str,
) -> list[Campaign | None]:
    """For each line the campaign that adds most to it, as far as its budget goes; a budget is shared by the lines."""
    if not running:
        return [None] * len(lines)
    rest = {each.code: Fraction(left.get(f"campaign:{each.code}", 0)) for each in running if each.budget is not None}
    chosen: list[Campaign | None] = []
    for line, value in zip(lines, plain, strict=True):
        fitting = [each for each in running if each.scope.fits(unit=unit, category=line.category, sku=line.sku)]
        adds = {each.code: min(value * (each.times - 1), rest.get(each.code, value * each.times)) for each in fitting}
        best = max(fitting, key=lambda each: (adds[each.code], -each.times), default=None)
        if best is None or not adds[best.code]:
            chosen.append(None)
            continue
        if best.code in rest:
            rest[best.code] -= adds[best.code]
        chosen.append(best)
    return chosen


def _portions(
    lines: Sequence[Spend],
    terms: Sequence[tuple[Fraction, Campaign | None]],
    exact: Sequence[Fraction],
    tier: Factor | None,
) -> tuple[Portion, ...]:
    """One per rate and campaign, in the order of the lines."""
    if len(lines) == 1:
        return (_portion(lines[0].amount, terms[0], exact[0], tier),)
    sums: dict[tuple[Fraction, str], tuple[int, Fraction]] = {}
    first: dict[tuple[Fraction, str], tuple[Fraction, Campaign | None]] = {}
    for line, each, value in zip(lines, terms, exact, strict=True):
        key = (each[0], each[1].code if each[1] else "")
        amount, worth = sums.get(key, (0, Fraction()))
        sums[key] = (amount + line.amount, worth + value)
        first.setdefault(key, each)
    return tuple(_portion(amount, first[key], worth, tier) for key, (amount, worth) in sums.items())


def _portion(amount: int, terms: tuple[Fraction, Campaign | None], exact: Fraction, tier: Factor | None) -> Portion:
    rate, campaign = terms
    factors = [tier] if tier and tier.by != 1 else []
    if campaign:
        factors.append(Factor("campaign", campaign.name, campaign.times))
    return Portion(amount, rate, exact, tuple(factors))


def _cut_campaigns(
    exact: list[Fraction],
    plain: Sequence[Fraction],
    campaigns: Sequence[Campaign | None],
    left: Mapping[str, int],
    spent: dict[str, int],
) -> list[Cut]:
    """Shorten what campaigns add to what is left of their budgets; ``exact`` and ``spent`` are changed."""
    cuts = []
    for campaign in {each.code: each for each in campaigns if each and each.budget is not None}.values():
        code, mine = f"campaign:{campaign.code}", [i for i, each in enumerate(campaigns) if each is campaign]
        added = sum((exact[i] - plain[i] for i in mine), Fraction())
        room = left.get(code, 0)
        spent[code] = min(ceil(added), room)
        if added > room:
            for i in mine:
                exact[i] = plain[i] + (exact[i] - plain[i]) * room / added
            cuts.append(Cut("budget", campaign.budget or 0, room, added - room, campaign.name))
    return cuts


def _bonuses(
    rule: PurchaseRule, amount: int, at: Circumstances, spent: dict[str, int]
) -> tuple[tuple[Given, ...], list[Cut]]:
    given, cuts = [], []
    for bonus in rule.bonuses:
        if at.counts.get(bonus.code) != bonus.nth or bonus.code in at.held or amount < max(bonus.at_least, 1):
            continue
        points, code = bonus.points, f"bonus:{bonus.code}"
        if bonus.budget is not None:
            room = at.left.get(code, 0)
            if points > room:
                cuts.append(Cut("budget", bonus.budget, room, Fraction(points - room), bonus.name))
                points = room
            spent[code] = points
        if points:
            given.append(Given(bonus.code, bonus.name, bonus.nth, bonus.period, points))
    return tuple(given), cuts


def _give_back_what_was_cut(spent: dict[str, int], cut: int) -> None:
    """What a cap took away was given by nobody's budget: bonuses are cut first, then what campaigns added."""
    for code in sorted(spent, key=lambda each: not each.startswith("bonus:")):
        back = min(spent[code], cut)
        spent[code] -= back
        cut -= back


def capped(
    points: int, caps: Caps, budget: int | None, *, used: Mapping[str, int], left: int
) -> tuple[int, tuple[Cut, ...]]:
    """``points`` as far as caps and budget let them, and what each of them cut off.

    ``used`` is what the member had before, by ``day``, ``month`` and ``total``; ``left`` what the budget has left.
    """
    limits = [("purchase", caps.purchase, caps.purchase)]
    for name in caps.periods:
        most = getattr(caps, name)
        limits.append((name, most, max(most - used.get(name, 0), 0)))
    limits.append(("budget", budget, max(left, 0)))
    cuts = []
    for name, most, room in limits:
        if most is not None and room is not None and points > room:
            cuts.append(Cut(name, most, room, Fraction(points - room)))
            points = room
    return points, tuple(cuts)


def _shares(
    lines: Sequence[Spend], exact: Sequence[Fraction], extra: int, points: int, *, uncut: bool
) -> tuple[int, ...]:
    """Each line's part: of what it earned itself, and of bonuses by what it cost."""
    if len(lines) == 1:
        return (points,)
    if uncut and not extra:
        return tuple(largest_remainder(exact))
    amount = sum(line.amount for line in lines)
    weights = [value + Fraction(extra * line.amount, amount or 1) for value, line in zip(exact, lines, strict=True)]
    whole = sum(weights, Fraction())
    if not whole:
        return (0,) * len(lines)
    return tuple(largest_remainder([points * weight / whole for weight in weights]))


# --- growth ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GrowthAward:
    """``growth`` for the whole purchase, of ``amount`` minor units at ``rate``; ``exact`` is what was rounded down."""

    growth: int
    amount: int
    rate: Fraction
    exact: Fraction


def purchase_growth(lines: Iterable[Spend], rule: PurchaseRule, *, minor_units: int) -> GrowthAward:
    """floor(Σ amount × rate), rounded once for the purchase: 1 for each whole ¥1 if nobody says otherwise."""
    amount = sum(line.amount for line in lines)
    exact = amount * rule.growth / minor_units
    return GrowthAward(exact.numerator // exact.denominator, amount, rule.growth, exact)


# --- arithmetic -----------------------------------------------------------------------------


def largest_remainder(exact: Iterable[Fraction]) -> list[int]:
    """Whole shares that sum to the floor of the sum: what is left over goes to the largest remainders.

    Of equal remainders the earlier line's comes first. This is Hamilton's method; no share
    is one or more away from its exact value.
    """
    values = list(exact)
    shares = [value.numerator // value.denominator for value in values]
    total = sum(values, Fraction())
    missing = total.numerator // total.denominator - sum(shares)
    by_remainder = sorted(range(len(values)), key=lambda i: (shares[i] - values[i], i))
    for i in by_remainder[:missing]:
        shares[i] += 1
    return shares


def period_of_day(period: str, day: date) -> tuple[date, date]:
    """The first day of the period in which ``day`` lies, and the first day after it."""
    if period == "day":
        return day, date.fromordinal(day.toordinal() + 1)
    if period == "month":
        return first_of_month(day, 0), first_of_month(day, 1)
    if period == "year":
        return date(day.year, 1, 1), date(day.year + 1, 1, 1)
    if period not in FOR_EVER:
        raise ValueError(f"{period!r} is no period.")
    return BEGINNING, END
