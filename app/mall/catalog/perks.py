"""What a member's tier and benefits are worth in the mall. The one place that asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.loyalty.tiers.queries import tiers_of


@dataclass(frozen=True, slots=True)
class Perks:
    """``tier_rank`` is -1 for a visitor, who stands below the first step."""

    tier_rank: int = -1

    def discount(self, unit_id: int) -> int:
        """Percent off the cash part in this unit, 0 to 100."""
        return 0

    def early_access_days(self, unit_id: int) -> int:
        """How many days before everybody else."""
        return 0


NOBODY = Perks()


def perks_of(member_id: int | None, *, now: datetime) -> Perks:
    """One query; none for a visitor."""
    if member_id is None:
        return NOBODY
    tier = tiers_of([member_id]).get(member_id)
    return Perks(tier.rank if tier else 0)
