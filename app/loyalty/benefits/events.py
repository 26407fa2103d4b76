"""What happened to benefits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class GiftClaimed:
    """A member claimed a gift; ``points`` are those in it."""

    member_id: int
    code: str
    period: str
    points: int
    at: datetime
