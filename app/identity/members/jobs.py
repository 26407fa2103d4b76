"""What members' rooms need done regularly."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.foundation import outbox
from app.foundation.database import transaction
from app.foundation.jobs import periodic
from app.identity.members.recovery import NOBODY
from app.identity.members.registration import forget_expired


@outbox.channel(NOBODY)
def throw_away(_payload: dict[str, Any]) -> None:
    """Deliver a message to nobody: it was written so that asking takes the same time for everybody."""


@periodic("forget-registrations", minute="17")
def forget_registrations(*, now: datetime) -> int:
    """Delete registrations that were never confirmed; returns how many."""
    with transaction():
        return forget_expired(now=now)
