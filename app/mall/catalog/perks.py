"""What a member's tier and benefits are worth in the mall. The one place that asks for them."""

from __future__ import annotations

from datetime import datetime

from app.loyalty.benefits.queries import Perks, perks

__all__ = ["Perks", "perks_of"]


def perks_of(member_id: int | None, *, now: datetime) -> Perks:
    """Some queries; none for a visitor, who stands below the first tier."""
    return perks(member_id, now)
