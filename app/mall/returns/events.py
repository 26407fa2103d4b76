"""What happened to returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReturnSettled:
    """Money and points went back, or a replacement was sent."""

    case_id: int
    at: datetime
