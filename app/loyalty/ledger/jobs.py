"""What time does to points: holds lapse, awards mature, lots expire. Each batch is a transaction of its own."""

from __future__ import annotations

from datetime import datetime

from app.foundation.database import transaction
from app.foundation.jobs import asked, periodic
from app.loyalty.ledger import checkpoints, checks
from app.loyalty.ledger.expiry import expire_some
from app.loyalty.ledger.holds import settle_due


@periodic("settle-pending", minute="*")
def settle_pending(*, now: datetime) -> int:
    """Resolve every overdue pending transfer. Returns how many."""
    total = 0
    while True:
        with transaction():
            settled = settle_due(now=now)
        if not settled:
            return total
        total += settled


@periodic("expire-points", minute="7")
def expire_points(*, now: datetime) -> int:
    """Write off every lot that has expired. Returns how many wallets lost something."""
    total = 0
    while True:
        with transaction():
            expired = expire_some(now=now)
        if not expired:
            return total
        total += expired


@periodic("seal-books", minute="5")
def seal_books(*, now: datetime) -> int:
    """Shortly after midnight of the programme's timezone, seal what the day brought. Returns how many checkpoints."""
    return len(checkpoints.seal(now=now)) if checkpoints.is_due(now=now) else 0


@periodic(checks.JOB, minute="41")
def verify_books(*, now: datetime) -> int:
    """Prove the books every night, and whenever a colleague asks. Returns how much was found."""
    if not (checks.is_due(now=now) or asked(checks.JOB, now=now)):
        return 0
    examined = checks.examine()
    with transaction():
        checks.keep(examined, now=now)
    return len(examined.findings)
