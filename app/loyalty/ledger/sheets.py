"""A statement as a file for spreadsheets: CSV in UTF-8, made while it is sent, whatever its length."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.sheets import BOM, safe
from app.identity.units.queries import unit_names
from app.loyalty.ledger.periods import all_lines_in
from app.loyalty.ledger.statements import Statement, lines_of

if TYPE_CHECKING:
    from app.loyalty.ledger.models import Transfer


def csv_of(statement: Statement) -> Iterator[str]:
    """The opening balance, every line with the balance after it, the closing balance."""
    period, units = statement.period, unit_names()
    titles = [_("Booked"), _("Happened"), _("Kind"), _("Where"), _("Points"), _("Balance"), _("Reason"), _("Reference")]
    opening = [statement.since.isoformat(), "", _("Opening balance"), "", "", period.opening.value, "", ""]
    closing = [statement.until.isoformat(), "", _("Closing balance"), "", "", period.closing.value, "", ""]
    yield BOM + _rows([titles, opening])
    for transfers in all_lines_in(period):
        yield _rows(_cells(transfers, units))
    yield _rows([closing])


def _cells(transfers: Iterable[Transfer], units: Mapping[int, Mapping[str, str]]) -> Iterator[list[Any]]:
    for transfer, line in zip(transfers, lines_of(list(transfers), units=units), strict=True):
        yield [
            _moment(transfer.recorded_at),
            _moment(transfer.occurred_at),
            safe(line.title),
            safe(line.unit),
            transfer.amount,
            transfer.balance_after,
            safe(" · ".join(line.why)),
            safe(transfer.key),
        ]


def _moment(moment: datetime) -> str:
    return moment.astimezone(clock.programme_zone()).strftime("%Y-%m-%d %H:%M:%S")


def _rows(rows: Iterable[list[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
