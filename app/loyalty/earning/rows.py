"""One row of a purchase file: what it must look like, and everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.foundation.money import Money, minor_units
from app.foundation.sheets import Findings, Line, LineError, check_text, shortened
from app.loyalty.purchases.actions import ReportedLine

LENGTHS = {"order_no": 64, "member": 254, "unit": 32, "category": 60, "sku": 60}
OPTIONAL = ("category", "sku")
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
DIGITS = 12
MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is believed. ``largest_line`` in minor units of ``currency``; a moment without a zone is in ``zone``."""

    currency: str
    zone: ZoneInfo
    latest: datetime
    largest_line: int
    largest_quantity: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row that makes sense by itself."""

    line: int
    order_no: str
    unit: str
    member: str
    occurred_at: datetime
    content: ReportedLine


Part = Row | list[LineError]


def parse_row(line: Line, limits: Limits) -> Part:
    """The row, or everything that is wrong with it."""
    if line.broken:
        return [LineError(line.number, line.broken)]
    cells, findings = line.cells, Findings(line.number)
    for name, longest in LENGTHS.items():
        findings.value(check_text, name, cells[name], longest, name in OPTIONAL, default=None)
    occurred_at = findings.value(_moment, cells["occurred_at"], limits, default=EARLIEST)
    quantity = findings.value(_quantity, cells["quantity"], limits, default=1)
    findings.value(_currency, cells["currency"], limits, default=None)
    amount = findings.value(_amount, cells["amount"], limits, default=0)
    if findings.errors:
        return findings.errors
    content = ReportedLine(cells["category"], cells["sku"], quantity, amount)
    return Row(line.number, cells["order_no"], cells["unit"].lower(), cells["member"], occurred_at, content)


@lru_cache(maxsize=10_000)
def _parsed_moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not MOMENT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(text: str, limits: Limits) -> datetime:
    """A date is the beginning of that day in the programme's timezone."""
    moment = _parsed_moment(text, limits.zone)
    if moment is None:
        raise InvalidInput(
            _(
                "“%(text)s” is not a date. Write 2026-01-31, or 2026-01-31T18:05:00+08:00 with the time.",
                text=shortened(text),
            )
        )
    if moment > limits.latest:
        raise InvalidInput(_("%(text)s lies in the future.", text=text))
    if moment < EARLIEST:
        raise InvalidInput(_("%(text)s lies before 1970.", text=text))
    return moment


def _quantity(text: str, limits: Limits) -> int:
    digits = text.removesuffix(".0")  # Spreadsheets like to write 1.0.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= DIGITS) or int(digits) < 1:
        raise InvalidInput(_("The quantity “%(text)s” is not a whole number of 1 or more.", text=shortened(text)))
    if int(digits) > limits.largest_quantity:
        raise InvalidInput(_("A quantity of %(text)s is more than the programme believes.", text=text))
    return int(digits)


def _currency(text: str, limits: Limits) -> None:
    if text.upper() != limits.currency:
        raise InvalidInput(
            _(
                "The currency “%(text)s” is not the programme's, %(currency)s.",
                text=shortened(text),
                currency=limits.currency,
            )
        )


def _amount(text: str, limits: Limits) -> int:
    try:
        amount = Money.parse(text, limits.currency).amount
    except (ValueError, ArithmeticError) as error:
        raise InvalidInput(
            _(
                "The amount “%(text)s” is no number like %(example)s with at most %(digits)s digits after the point.",
                text=shortened(text),
                digits=len(str(minor_units(limits.currency))) - 1,
                example=Money(12_345, limits.currency).decimal,
            )
        ) from error
    if amount < 0:
        raise InvalidInput(_("The amount %(text)s is negative. Returns cannot be imported as purchases.", text=text))
    if amount > limits.largest_line:
        raise InvalidInput(_("An amount of %(text)s in one line is more than the programme believes.", text=text))
    return amount
