"""What referrals tell the floors above."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReferralsRewarded:
    """These members, inviters and friends, were paid for an invitation; once per batch, each member once."""

    member_ids: tuple[int, ...]
    at: datetime
