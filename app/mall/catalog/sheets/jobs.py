"""The worker's part: long sheets, a turn at a time, so that other jobs go on between; and forgetting old ones."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa
from flask import current_app

from app.foundation.database import db, transaction
from app.foundation.jobs import periodic
from app.mall.catalog.sheets import queries, steps
from app.mall.catalog.sheets.actions import fail
from app.mall.catalog.sheets.models import SheetImport, SheetRow

log = logging.getLogger(__name__)
NAME = "go-on-with-sheets"
TURN = 20  # Seconds after which other jobs may have their turn.
KEPT = timedelta(days=30)


@periodic(NAME, minute="*")
def go_on_with_sheets(*, now: datetime, seconds: int = TURN) -> int:
    """Go on with the sheets under way, the oldest first. Returns how many came to an end."""
    until, ended = monotonic() + seconds, 0
    while (sheet := queries.oldest_under_way()) is not None:
        try:
            left = steps.run(sheet.id, now=now, until=until)
        except sa.exc.OperationalError:
            raise  # The database went away: the next turn goes on from the last step.
        except Exception:
            log.exception("Sheet %s cannot go on", sheet.key)
            db.session.rollback()
            with transaction():
                fail(sheet=sheet, now=now)
            continue
        ended += not left
        if left or monotonic() >= until:
            current_app.extensions["jobs"][NAME]()
            break
    return ended


@periodic("forget-sheets", hour="4", minute="40")
def forget_sheets(*, now: datetime) -> int:
    """Delete the rows of sheets that were sent long ago. What they changed is in the audit log. Returns how many."""
    old = sa.select(SheetImport.id).where(SheetImport.sent_at < now - KEPT)
    with transaction() as session:
        gone = session.execute(sa.delete(SheetRow).where(SheetRow.import_id.in_(old)))
        session.execute(sa.delete(SheetImport).where(SheetImport.sent_at < now - KEPT))
        return gone.rowcount  # type: ignore[attr-defined]
