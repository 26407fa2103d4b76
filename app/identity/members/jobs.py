"""What members' rooms need done regularly."""

from __future__ import annotations

from datetime import datetime

from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.identity.members.registration import forget_expired


@periodic("forget-registrations", minute="17")
def forget_registrations(*, now: datetime) -> int:
    """Delete registrations that were never confirmed; returns how many."""
    with transaction():
        return forget_expired(now=now)
