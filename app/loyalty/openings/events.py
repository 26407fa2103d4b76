"""What opening balances tell the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GrowthBrought:
    """These members brought growth from an old system; once per batch, each member once."""

    member_ids: tuple[int, ...]
    at: datetime
