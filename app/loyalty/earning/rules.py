"""How many points a purchase is worth. Whole numbers and fractions only: no amount ever passes through a float."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.foundation.errors import InvalidInput

# Version 1 of each kind of rule, until somebody publishes another one.
DEFAULTS: dict[str, dict[str, Any]] = {"purchase": {"rate": "1", "growth_rate": "1"}, "joining": {"points": 20}}

# The more exactly a rate says what it is for, the more it counts.
_WEIGHT = {"unit": 1, "category": 2, "sku": 4}


@dataclass(frozen=True, slots=True)
class Rate:
    """Points per major unit of money, for everything or only for a unit, a category, an article."""

    points: Fraction
    unit: str | None = None
    category: str | None = None
    sku: str | None = None

    @property
    def weight(self) -> int:
        return sum(weight for name, weight in _WEIGHT.items() if getattr(self, name) is not None)

    def fits(self, *, unit: str, category: str, sku: str) -> bool:
        return self.unit in (None, unit) and self.category in (None, category) and self.sku in (None, sku)


@dataclass(frozen=True, slots=True)
class PurchaseRule:
    """One version of the rule. ``rates`` stand in the order in which they are tried; the last fits everything.

    ``growth`` is the growth value per major unit of money, whatever was bought and wherever.
    """

    version: int
    rates: tuple[Rate, ...]
    growth: Fraction

    @classmethod
    def parse(cls, version: int, terms: Mapping[str, Any]) -> PurchaseRule:
        """Read ``{"rate": "1", "rates": [{"unit": "cinema", "category": "food", "rate": "3/2"}], "growth_rate": "1"}``.

        A rate that is not given is 1; ``"0"`` switches points or growth off. Raises
        ``InvalidInput`` when a rate is not a number or is negative.
        """
        special = [_rate(entry) for entry in terms.get("rates", ())]
        special.sort(key=lambda rate: -rate.weight)
        growth = _rate({"rate": terms.get("growth_rate", "1")}).points
        return cls(version, (*special, _rate({"rate": terms.get("rate", "1")})), growth)

    def rate_for(self, *, unit: str, category: str, sku: str) -> Fraction:
        return next(rate.points for rate in self.rates if rate.fits(unit=unit, category=category, sku=sku))


def _rate(entry: Mapping[str, Any]) -> Rate:
    try:
        points = Fraction(str(entry["rate"]))
    except (KeyError, ValueError, ZeroDivisionError) as error:
        raise InvalidInput(f"{dict(entry)!r} has no rate that is a number.") from error
    if points < 0:
        raise InvalidInput(f"{dict(entry)!r} has a negative rate.")
    return Rate(points, *(entry.get(name) or None for name in _WEIGHT))


@dataclass(frozen=True, slots=True)
class Spend:
    """A line as far as points are concerned. ``amount`` in minor units."""

    amount: int
    category: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """What was spent at one rate, and what that gives before anything is rounded."""

    amount: int
    rate: Fraction
    exact: Fraction


@dataclass(frozen=True, slots=True)
class PurchaseAward:
    """``points`` for the whole purchase; ``shares`` per line sum to it; ``exact`` is what was rounded down."""

    points: int
    shares: tuple[int, ...]
    portions: tuple[Portion, ...]
    exact: Fraction


def purchase_points(lines: Sequence[Spend], rule: PurchaseRule, *, unit: str, minor_units: int) -> PurchaseAward:
    """floor(Σ amount × rate), rounded once for the purchase, then shared out over its lines.

    ``minor_units`` is how many of them make a major unit: 100 for yuan, 1 for yen.
    """
    rates = [rule.rate_for(unit=unit, category=line.category, sku=line.sku) for line in lines]
    spent: dict[Fraction, int] = {}
    for line, rate in zip(lines, rates, strict=True):
        spent[rate] = spent.get(rate, 0) + line.amount
    portions = tuple(Portion(amount, rate, amount * rate / minor_units) for rate, amount in spent.items())
    exact = portions[0].exact if len(portions) == 1 else sum((part.exact for part in portions), Fraction())
    points = exact.numerator // exact.denominator
    if len(lines) == 1:
        return PurchaseAward(points, (points,), portions, exact)
    shares = largest_remainder([line.amount * rate / minor_units for line, rate in zip(lines, rates, strict=True)])
    return PurchaseAward(points, tuple(shares), portions, exact)


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
