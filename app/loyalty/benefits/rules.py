"""Who has which benefit at a moment, which one counts, and when a gift may be claimed.

Pure: times are local ones without a zone, the programme's.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple


class Kind(StrEnum):
    DISCOUNT = "discount"
    MULTIPLIER = "multiplier"
    EARLY_ACCESS = "early_access"
    TIER_ONLY = "tier_only"
    BIRTHDAY_GIFT = "birthday_gift"
    MONTHLY_GIFT = "monthly_gift"
    COUPON_PACK = "coupon_pack"
    FREE_DELIVERY = "free_delivery"
    PRIORITY_DELIVERY = "priority_delivery"
    RETURN_WINDOW = "return_window"
    WARRANTY = "warranty"
    DEDICATED_AGENT = "dedicated_agent"
    EVENT_PRIORITY = "event_priority"


APART = timedelta(days=300)  # Who changes their birth date has no two birthdays in a year, New Year or not.
GIFTS = (Kind.BIRTHDAY_GIFT, Kind.MONTHLY_GIFT, Kind.COUPON_PACK)
# Of these the best one counts; of two for the same people nobody could say which one was meant.
MEASURED = (Kind.DISCOUNT, Kind.MULTIPLIER, Kind.EARLY_ACCESS, Kind.RETURN_WINDOW, Kind.WARRANTY)
PERIODS = ("once", "month", "year")


@dataclass(frozen=True, slots=True)
class Gift:
    """Points, or something that staff hand out: its text by language."""

    points: int = 0
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Benefit:
    """One benefit. ``tiers`` and ``tags`` say whose it is; with neither it is given to single persons only.

    ``value`` is what its kind measures: percent, times, days, months. Empty ``units`` are all. From ``starts`` on,
    until ``ends``. ``series`` is what is claimed only once per ``period`` together.
    """

    code: str
    kind: Kind
    name: Mapping[str, str]
    value: Fraction = Fraction(0)
    tiers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    starts: datetime | None = None
    ends: datetime | None = None
    gifts: tuple[Gift, ...] = ()
    series: str = ""
    period: str = ""
    contact: Mapping[str, str] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """``value`` of what is measured in whole numbers."""
        return int(self.value)

    @property
    def points(self) -> int:
        return sum(gift.points for gift in self.gifts)

    def runs(self, local: datetime) -> bool:
        return (self.starts is None or self.starts <= local) and (self.ends is None or local < self.ends)

    def counts_in(self, unit: str | None) -> bool:
        """Does it count in this unit? For no unit in particular only what counts in all."""
        return not self.units or unit in self.units


class Given(NamedTuple):
    """A benefit that was given to one person: which time it was given, and the last day."""

    id: int
    last_day: date


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody at a moment: the tier they stand on, their tags, and the benefits given to them by hand, by code."""

    tier: str | None = None
    tags: frozenset[str] = frozenset()
    given: Mapping[str, Sequence[Given]] = field(default_factory=dict)

    def belongs_to(self, benefit: Benefit) -> bool:
        """Is this person one of those whom the programme gives it?"""
        return self.tier in benefit.tiers or bool(self.tags & benefit.tags)

    def has(self, benefit: Benefit) -> bool:
        return benefit.code in self.given or self.belongs_to(benefit)

    def last_day(self, benefit: Benefit) -> date | None:
        """The last day on which this person has it, as far as that is known today."""
        days = [(benefit.ends - timedelta(microseconds=1)).date()] if benefit.ends else []
        if not self.belongs_to(benefit):
            days.append(max(each.last_day for each in self.given[benefit.code]))
        return min(days, default=None)


def held(benefits: Iterable[Benefit], holder: Holder, local: datetime) -> list[Benefit]:
    """What this person has at this moment, in the order of the programme."""
    return [benefit for benefit in benefits if benefit.runs(local) and holder.has(benefit)]


def best(benefits: Iterable[Benefit], kind: Kind, unit: str | None) -> Benefit | None:
    """The one of this kind that counts in this unit: the greatest, the first of equals."""
    return max((each for each in benefits if each.kind is kind and each.counts_in(unit)), key=_value, default=None)


def _value(benefit: Benefit) -> Fraction:
    return benefit.value


# --- gifts ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Birthdays:
    """From how many days before a birthday until how many days after it its gift can be claimed."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Claimable:
    """A gift whose time it is: until the end of ``last_day``, where that is foreseeable."""

    benefit: Benefit
    period: str
    last_day: date | None


def observed(born: date, year: int) -> date:
    """The birthday in this year. Who was born on 29 February has it on the 28th in common years."""
    last = calendar.monthrange(year, born.month)[1]
    return date(year, born.month, min(born.day, last))


def birthday_around(born: date | None, today: date, days: Birthdays) -> date | None:
    """The birthday in whose time ``today`` lies, which may be one of the last or the next year."""
    if born is None or born > today:
        return None
    for year in (today.year - 1, today.year, today.year + 1):
        if date.min.year <= year <= date.max.year:
            birthday = observed(born, year)
            if birthday - timedelta(days=days.before) <= today <= birthday + timedelta(days=days.after):
                return birthday
    return None


def claimable(
    benefits: Sequence[Benefit], holder: Holder, born: date | None, today: date, days: Birthdays
) -> list[Claimable]:
    """Of the benefits somebody has, the gifts whose time it is, claimed or not: one of each series, the richest."""
    found: dict[tuple[str, str], Claimable] = {}
    for benefit in benefits:
        for period, last_day in _times_of(benefit, holder, born, today, days):
            until = [day for day in (last_day, holder.last_day(benefit)) if day]
            other = found.get((benefit.series, period))
            if other is None or benefit.points > other.benefit.points:
                found[benefit.series, period] = Claimable(benefit, period, min(until, default=None))
    return list(found.values())


class Done(NamedTuple):
    """A gift that was claimed, and when."""

    series: str
    period: str
    at: datetime


def unclaimed(offered: Iterable[Claimable], done: Iterable[Done], now: datetime) -> list[Claimable]:
    """Of the gifts whose time it is those that were not claimed; birthday gifts come no sooner than ``APART``."""
    done = list(done)
    taken = {(each.series, each.period) for each in done}
    lately = {each.series for each in done if each.at > now - APART}
    return [
        each
        for each in offered
        if (each.benefit.series, each.period) not in taken
        and not (each.benefit.kind is Kind.BIRTHDAY_GIFT and each.benefit.series in lately)
    ]


def _times_of(
    benefit: Benefit, holder: Holder, born: date | None, today: date, days: Birthdays
) -> list[tuple[str, date | None]]:
    """The periods in which it can be claimed today, each with its last day."""
    if benefit.kind is Kind.BIRTHDAY_GIFT:
        birthday = birthday_around(born, today, days)
        return [(f"{birthday.year:04}", birthday + timedelta(days=days.after))] if birthday else []
    if benefit.kind not in GIFTS:
        return []
    if benefit.period == "month":
        return [(f"{today:%Y-%m}", today.replace(day=calendar.monthrange(today.year, today.month)[1]))]
    if benefit.period == "year":
        return [(f"{today.year:04}", date(today.year, 12, 31))]
    own: list[tuple[str, date | None]] = [("once", None)] if holder.belongs_to(benefit) else []
    return own + [(f"given-{each.id}", each.last_day) for each in holder.given.get(benefit.code, ())]
