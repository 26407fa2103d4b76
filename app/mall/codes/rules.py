"""Reading a list of codes, one a line, believed only as far as it makes sense. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.foundation.formats import day
from app.foundation.sheets import FORMULA
from app.mall.codes.errors import UnusableSheet

LONGEST = 80
MOST_LINES = 5_000
MOST_BYTES = 256 * 1024
ENCODINGS = ("utf-8-sig", "gb18030")
HEADS = {"code", "codes", "voucher", "券码", "券碼", "兑换码", "兌換碼"}
DELIMITERS = "\t;,"
BLANK = " \u3000\ufeff\xa0"
DAY = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})", re.ASCII)
LAST_YEAR = 2100
SHOWN = 4


@dataclass(frozen=True, slots=True)
class NewCode:
    """``last_day`` is the last one on which it can be used; ``None`` is for ever."""

    line: int
    code: str
    last_day: date | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a line was not taken. ``code`` is masked."""

    line: int
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    codes: tuple[NewCode, ...]
    refused: tuple[Refused, ...]


def masked(code: str) -> str:
    """``•••• 4711``: enough to tell codes apart, too little to use one."""
    return f"•••• {code[-min(SHOWN, len(code) // 2) :] if len(code) > 1 else ''}".rstrip()


def text_of(content: bytes) -> str:
    """What an uploaded file says. Raises ``UnusableSheet``."""
    if len(content) > MOST_BYTES:
        raise UnusableSheet(_("The file is larger than %(size)s KB. Please send it in parts.", size=MOST_BYTES // 1024))
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise UnusableSheet(_("This is a spreadsheet, not a CSV file. Save it as “CSV UTF-8” and send that."))
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnusableSheet(_("The file is neither UTF-8 nor GB18030 text. Save it as UTF-8 and send it again."))


def read_sheet(text: str, *, last_day: date | None, first_day: date) -> Sheet:
    """One code a line, with its last day behind it where it has one of its own; a header is passed over.

    ``last_day`` is that of the lines that name none. What ends before ``first_day`` would not be sold. Raises
    ``UnusableSheet`` where there is nothing, or too much.
    """
    codes: list[NewCode] = []
    refused: list[Refused] = []
    seen: dict[str, int] = {}
    for number, cells in _rows(text):
        if number > MOST_LINES + 1:
            raise UnusableSheet(_("These are more than %(most)s lines. Please send them in parts.", most=MOST_LINES))
        try:
            taken = _read(number, cells, last_day=last_day, first_day=first_day)
            if taken.code in seen:
                raise InvalidInput(_("The same code stands in line %(line)s already.", line=seen[taken.code]))
        except InvalidInput as error:
            refused.append(Refused(number, masked(cells[0]) if cells[0].isprintable() else "", str(error)))
        else:
            seen[taken.code] = number
            codes.append(taken)
    if not (codes or refused):
        raise UnusableSheet(_("There is no code yet. Write one a line, or choose a file."))
    return Sheet(tuple(codes), tuple(refused))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank, without a header."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = True
    for number, line in enumerate(lines, start=1):
        if not line.strip(BLANK + DELIMITERS):
            continue
        cells = _cells(line)
        if not (first and cells[0].lower() in HEADS):
            yield number, cells
        first = False


def _cells(line: str) -> list[str]:
    delimiter = next((sign for sign in DELIMITERS if sign in line), ",")
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True), [line])
    except csv.Error:
        cells = line.split(delimiter)
    return [cell.strip(BLANK) for cell in cells]


def _read(number: int, cells: list[str], *, last_day: date | None, first_day: date) -> NewCode:
    code, rest = cells[0], [cell for cell in cells[1:] if cell]
    if not code:
        raise InvalidInput(_("The code is missing."))
    if len(rest) > 1:
        raise InvalidInput(_("There is more on this line than a code and its last day."))
    if not code.isprintable():
        raise InvalidInput(_("The code contains characters that cannot be printed."))
    if len(code) > LONGEST:
        raise InvalidInput(_("The code is longer than %(most)s characters.", most=LONGEST))
    if code.startswith(FORMULA):
        raise InvalidInput(_("The code begins with a sign that spreadsheets take for a formula."))
    own = day_of(rest[0]) if rest else last_day
    if own is not None and own < first_day:
        raise InvalidInput(_("The code ends too soon to be sold: on %(day)s.", day=day(own)))
    return NewCode(number, code, own)


def day_of(text: str) -> date:
    """``2026-12-31`` or ``2026/12/31``. Raises ``InvalidInput``."""
    match = DAY.fullmatch(text)
    try:
        if match is None or int(match[1]) > LAST_YEAR:
            raise ValueError(text)
        return date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError as error:
        raise InvalidInput(_("The last day must be written like 2026-12-31.")) from error
