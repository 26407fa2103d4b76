"""What check-in tells the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class CheckedIn:
    """A member checked in for ``day``, in the programme's timezone, and was paid for it."""

    member_id: int
    day: date
    at: datetime
