"""What the back office's start page says while the books do not add up, or nobody looks."""

from __future__ import annotations

from datetime import datetime

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import moment
from app.foundation.permissions import Permission
from app.foundation.screens.tiles import Alarm, tile
from app.loyalty.ledger import checks


@tile(Permission.LEDGER_READ, order=0)
def books(now: datetime) -> Alarm | None:
    last, url = checks.latest(), url_for("backoffice.ledger.index")
    if last and last.findings:
        found = ngettext(
            "The check of %(moment)s found %(num)s place where figures do not agree.",
            "The check of %(moment)s found %(num)s places where figures do not agree.",
            len(last.findings),
            moment=moment(last.started_at),
        )
        return Alarm(_("The points ledger does not add up"), found, url, _("Look at the findings"))
    if checks.is_overdue(last, now=now):
        title = _("The points ledger has not been checked for a while")
        text = _("It should happen every night. Is the worker running?")
        return Alarm(title, text, url, _("Open the books"), "warning")
    return None
