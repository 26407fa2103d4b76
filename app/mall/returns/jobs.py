"""What happens to returns when nobody does anything."""

from __future__ import annotations

from datetime import datetime

from app.foundation.jobs import periodic
from app.mall.returns import pictures


@periodic("clear-return-pictures", hour="4", minute="40")
def clear_pictures(*, now: datetime) -> int:
    """Pictures that were uploaded for a return that nobody confirmed. Returns how many files."""
    return pictures.clear(now=now)
