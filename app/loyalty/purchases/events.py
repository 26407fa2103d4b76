"""What purchases tell the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PurchasesRecorded:
    """New purchases of these members were written down; once per batch, each member once.

    ``moments`` are when they happened, one for each different day.
    """

    member_ids: tuple[int, ...]
    at: datetime
    moments: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class PurchasesReturned:
    """Something that these members had bought came back."""

    member_ids: tuple[int, ...]
    at: datetime
