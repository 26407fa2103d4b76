"""What members' benefits are worth at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from app.foundation.clock import programme_zone
from app.foundation.terms import at as terms_at
from app.identity.units.queries import all_units
from app.loyalty.benefits.holding import held_then, holders_then
from app.loyalty.benefits.rules import Benefit, Holder, Kind, best, held
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.tiers.queries import tiers_then

__all__ = [
    "NOBODY",
    "Benefit",
    "BenefitTerms",
    "Holder",
    "Kind",
    "Multiplier",
    "Perks",
    "Received",
    "Shopping",
    "best",
    "extra_return_days",
    "held",
    "holders_then",
    "multiplier_of_tier",
    "multipliers",
    "perks",
]


@dataclass(frozen=True, slots=True)
class Multiplier:
    """``times`` so many points, and why: the tier's name, or the benefit's."""

    name: Mapping[str, str]
    times: Fraction


@dataclass(frozen=True, slots=True)
class Shopping:
    """A member who buys something of a unit at a moment."""

    member_id: int
    unit_code: str
    at: datetime


def multipliers(asked: Sequence[Shopping]) -> list[Multiplier | None]:
    """The best points multiplier for each, as it was at its moment; a handful of queries for all together."""
    found: list[Multiplier | None] = []
    held = held_then([(each.member_id, each.at) for each in asked], [Kind.MULTIPLIER])
    for each, mine in zip(asked, held, strict=True):
        benefit = best(mine.benefits, Kind.MULTIPLIER, each.unit_code)
        if benefit is None or benefit.value == 1:
            found.append(None)
        elif mine.tier is not None and mine.tier.code in benefit.tiers:
            found.append(Multiplier(mine.tier.name, benefit.value))
        else:
            found.append(Multiplier(benefit.name, benefit.value))
    return found


def multiplier_of_tier(tier_code: str, unit_code: str, at: datetime) -> Fraction | None:
    """What anybody on this tier has their points multiplied by in this unit; ``None`` where nothing is."""
    published = terms_at(BenefitTerms, at).terms
    local = at.astimezone(programme_zone()).replace(tzinfo=None)
    benefit = best(held(published.all, Holder(tier=tier_code), local), Kind.MULTIPLIER, unit_code)
    return benefit.value if benefit and benefit.value != 1 else None


@dataclass(frozen=True, slots=True)
class Perks:
    """What a member may count on. The best one of a kind counts; a unit is asked for by its id.

    ``tier_rank`` is -1 for a visitor, who stands below the first step.
    """

    tier_rank: int = -1
    benefits: tuple[Benefit, ...] = ()
    units: Mapping[int, str] = field(default_factory=dict)

    def discount(self, unit_id: int) -> int:
        """Percent off the money in this unit, 0 to 100."""
        return self._number(Kind.DISCOUNT, unit_id)

    def early_access_days(self, unit_id: int) -> int:
        """How many days before everybody else."""
        return self._number(Kind.EARLY_ACCESS, unit_id)

    def extra_return_days(self, unit_id: int) -> int:
        return self._number(Kind.RETURN_WINDOW, unit_id)

    def extra_warranty_months(self, unit_id: int) -> int:
        return self._number(Kind.WARRANTY, unit_id)

    def free_delivery(self, unit_id: int) -> bool:
        return self._best(Kind.FREE_DELIVERY, unit_id) is not None

    @property
    def priority_delivery(self) -> bool:
        return self._any(Kind.PRIORITY_DELIVERY)

    @property
    def dedicated_agent(self) -> bool:
        return self._any(Kind.DEDICATED_AGENT)

    @property
    def event_priority(self) -> bool:
        return self._any(Kind.EVENT_PRIORITY)

    def _number(self, kind: Kind, unit_id: int) -> int:
        benefit = self._best(kind, unit_id)
        return benefit.number if benefit else 0

    def _best(self, kind: Kind, unit_id: int) -> Benefit | None:
        return best(self.benefits, kind, self.units.get(unit_id))

    def _any(self, kind: Kind) -> bool:
        return any(benefit.kind is kind for benefit in self.benefits)


NOBODY = Perks()


def perks(member_id: int | None, at: datetime) -> Perks:
    """What a member may count on at a moment: three queries, one more each where benefits ask for tags or units.

    ``None`` is a visitor, and costs none.
    """
    if member_id is None:
        return NOBODY
    [mine] = held_then([(member_id, at)])
    tier = mine.tier or tiers_then([(member_id, at)]).get((member_id, at))
    return Perks(tier.rank if tier else 0, mine.benefits, _unit_codes(mine.benefits))


def _unit_codes(benefits: Sequence[Benefit]) -> dict[int, str]:
    return {unit.id: unit.code for unit in all_units()} if any(benefit.units for benefit in benefits) else {}


@dataclass(frozen=True, slots=True)
class Received:
    """Something of a unit that a member received at a moment."""

    member_id: int
    unit_id: int
    at: datetime


def extra_return_days(asked: Sequence[Received]) -> list[int]:
    """How many days longer each may be returned, by what the member held when it was received."""
    held = held_then([(each.member_id, each.at) for each in asked], [Kind.RETURN_WINDOW])
    units = _unit_codes([benefit for mine in held for benefit in mine.benefits])
    return [
        Perks(benefits=mine.benefits, units=units).extra_return_days(each.unit_id)
        for each, mine in zip(asked, held, strict=True)
    ]
