"""One row of a file of opening balances: what it must look like, and everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.foundation.formats import day as readable
from app.foundation.formats import points
from app.foundation.points import UNITS, Growth, Points, Quantity
from app.foundation.sheets import Findings, Line, LineError, check_text, shortened

COLUMNS = ("member", "points")
OPTIONAL = ("ledger", "unit", "earned_on", "expires_on", "reference")
LENGTHS = {"member": 254, "unit": 32, "reference": 64}
NEVER = "never"

EARLIEST = date(1970, 1, 1)
LATEST_AHEAD = timedelta(days=36_525)  # A hundred years.
DIGITS = 20
WHOLE = re.compile(r"\d+(\.0+)?", re.ASCII)  # Spreadsheets like to write 1.0.
NEGATIVE = re.compile(r"[-−]\d.*|\(\d.*\)", re.ASCII)
SCIENTIFIC = re.compile(r"\d+([.,]\d+)?E[+-]?\d+", re.ASCII | re.I)
DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([T ]\d\d?:\d\d(:\d\d(\.\d+)?)?)?", re.ASCII)
SERIAL = re.compile(r"\d{5}([.,]\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is believed: no more than ``largest`` in a line, nothing earned after ``today``."""

    today: date
    largest: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row that makes sense by itself. ``last_day`` is the last day on which its points count.

    With neither ``last_day`` nor ``lasting`` the programme's policy decides.
    """

    line: int
    member: str
    amount: Quantity
    unit: str
    earned_on: date | None
    last_day: date | None
    lasting: bool
    reference: str


def parse_row(line: Line, limits: Limits) -> Row | list[LineError]:
    """The row, or everything that is wrong with it."""
    if line.broken:
        return [LineError(line.number, line.broken)]
    cells, findings = line.cells, Findings(line.number)
    for name, longest in LENGTHS.items():
        findings.value(check_text, name, cells[name], longest, name in OPTIONAL, default=None)
    unit = findings.value(_ledger, cells["ledger"], default=UNITS["points"])
    amount = findings.value(_amount, cells["points"], limits, default=0)
    earned_on = findings.value(_earned_on, cells["earned_on"], limits, default=None)
    lasting = cells["expires_on"].lower() == NEVER
    last_day = None
    if cells["expires_on"] and not lasting:
        last_day = findings.value(_last_day, cells["expires_on"], unit, earned_on, limits, default=None)
    if findings.errors:
        return findings.errors
    return Row(
        line.number,
        cells["member"],
        unit(amount),
        cells["unit"].lower(),
        earned_on,
        last_day,
        lasting,
        cells["reference"],
    )


def _ledger(text: str) -> type[Quantity]:
    if text.lower() not in ("", *UNITS):
        raise InvalidInput(_("The ledger “%(text)s” is neither points nor growth.", text=shortened(text)))
    return UNITS[text.lower() or Points.ledger]


def _amount(text: str, limits: Limits) -> int:
    if not text:
        raise InvalidInput(_("The %(column)s is missing.", column="points"))
    if SCIENTIFIC.fullmatch(text):
        raise InvalidInput(
            _(
                "“%(text)s” is a number that a spreadsheet has shortened. "
                "Format the column as a number without decimals, and export it again.",
                text=shortened(text),
            )
        )
    if NEGATIVE.fullmatch(text):
        raise InvalidInput(
            _("%(text)s is a debt, and nobody starts with one. Leave the line out, or bring 0 points.",
              text=shortened(text))
        )  # fmt: skip
    if not WHOLE.fullmatch(text):
        raise InvalidInput(
            _("“%(text)s” is not a whole number. Write 12480, without separators and units.", text=shortened(text))
        )
    digits = text.partition(".")[0].lstrip("0")
    if len(digits) > DIGITS or int(digits or "0") > limits.largest:
        raise InvalidInput(
            _("%(text)s is more than the programme believes of one line: at most %(most)s.",
              text=shortened(text), most=points(limits.largest))
        )  # fmt: skip
    return int(digits or "0")


def _earned_on(text: str, limits: Limits) -> date | None:
    if not text:
        return None
    earned_on = _date(text)
    if earned_on > limits.today:
        raise InvalidInput(_("%(text)s lies in the future.", text=text))
    if earned_on < EARLIEST:
        raise InvalidInput(_("%(text)s lies before 1970.", text=text))
    return earned_on


def _last_day(text: str, unit: type[Quantity], earned_on: date | None, limits: Limits) -> date:
    if unit is Growth:
        raise InvalidInput(_("Growth does not expire. Leave expires_on empty."))
    last_day = _date(text)
    if last_day < limits.today:
        raise InvalidInput(
            _("These points would be expired on arrival: their last day was %(day)s.", day=readable(last_day))
        )
    if last_day - limits.today > LATEST_AHEAD:
        raise InvalidInput(_("%(text)s is more than a hundred years ahead. Write never, if that is meant.", text=text))
    if earned_on is not None and last_day < earned_on:
        raise InvalidInput(_("These points would expire before they were earned."))
    return last_day


def _date(text: str) -> date:
    """A day, year first. Spreadsheets write 2026/1/31 for 2026-01-31, which is clear; 1/31/26 is not."""
    if found := DAY.fullmatch(text):
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError as error:
            raise InvalidInput(_("“%(text)s” is no day of the calendar.", text=shortened(text))) from error
    if SERIAL.fullmatch(text):
        raise InvalidInput(
            _("“%(text)s” is a date as a spreadsheet counts it inside. Format the column as yyyy-mm-dd.",
              text=shortened(text))
        )  # fmt: skip
    if text.startswith("##"):
        raise InvalidInput(_("The spreadsheet wrote ##### for a date, because the column was too narrow."))
    raise InvalidInput(_("“%(text)s” is not a date. Write 2026-01-31.", text=shortened(text)))
