"""XLSX files, opened with caution: what unpacks to a flood, runs or leads elsewhere is not opened at all."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from flask_babel import gettext as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter

from app.foundation.sheets import UnusableFile, shortened
from app.mall.catalog.sheets.texts import MOST_COLUMNS, RawRow

MOST_UNPACKED = 48 << 20
MOST_PARTS = 300
MOST_TAGS = 2_500_000  # Of the XML inside: each becomes an object in memory.
LAST_ROW = 1 << 20  # A spreadsheet has no more rows; a file may claim so.
CHUNK = 1 << 16


def rows_of_xlsx(stream: IO[bytes]) -> Iterator[RawRow]:
    """The rows of the first sheet. Raises ``UnusableFile``."""
    _look_inside(stream)
    try:
        book = load_workbook(stream, read_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # The file's own claim may be anything.
        blank = None
        for number, cells in enumerate(sheet.iter_rows(max_row=LAST_ROW, max_col=MOST_COLUMNS), 1):
            if cells is blank:  # The library fills gaps with one and the same row, of which there may be a million.
                continue
            if any(cell.value is not None for cell in cells):
                yield _row(number, cells)
            else:
                blank = cells
    except UnusableFile:
        raise
    except Exception as error:  # A damaged workbook fails in the library in a hundred ways; all mean the same.
        raise _not_a_workbook() from error


def _look_inside(stream: IO[bytes]) -> None:
    """Without unpacking more than a bounded part of it."""
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            names = [part.filename.lower() for part in parts]
            if len(parts) > MOST_PARTS or len(set(names)) < len(names) or "[content_types].xml" not in names:
                raise _not_a_workbook()
            if any(part.flag_bits & 1 for part in parts):
                raise UnusableFile(_("This workbook is locked with a password. Save it without one."))
            if any("vbaproject" in name or name.startswith("xl/macrosheets/") for name in names):
                raise UnusableFile(_("This workbook contains macros. Save it as a plain XLSX workbook or as CSV."))
            if any(name.startswith(("xl/externallinks/", "xl/connections")) for name in names):
                raise UnusableFile(
                    _("This workbook gets values from other files. Paste them as values, and save it again.")
                )
            _unpack(archive, parts)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, zlib.error) as error:
        raise _not_a_workbook() from error


def _unpack(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Count what comes out, whatever the archive says about itself."""
    size = tags = 0
    for part in parts:
        with archive.open(part) as unpacked:
            while chunk := unpacked.read(CHUNK):
                size += len(chunk)
                tags += chunk.count(b"<")
                if size > MOST_UNPACKED or tags > MOST_TAGS:
                    raise UnusableFile(
                        _("This workbook holds more than we can open at once. Split it, or save it as CSV.")
                    )


def _not_a_workbook() -> UnusableFile:
    return UnusableFile(_("This file cannot be read as an XLSX workbook. Save it again as XLSX or CSV UTF-8."))


def _row(number: int, cells: tuple[Any, ...]) -> RawRow:
    texts, broken = [], ""
    for place, cell in enumerate(cells, 1):
        if (trouble := _trouble(cell)) and not broken:
            broken = f"{get_column_letter(place)}{number}: {trouble}"
        texts.append("" if trouble else _text(cell.value))
    while texts and not texts[-1]:
        texts.pop()
    return RawRow(number, texts, broken, padded=True)


def _trouble(cell: Any) -> str:
    """Why a cell has no value that one could take at its word."""
    kind, value = cell.data_type, cell.value
    if kind == "f":
        return _("this cell holds a formula. Paste it as a value.")
    if kind == "e":
        return _("this cell holds the error %(error)s.", error=shortened(str(value)))
    if isinstance(value, float) and not math.isfinite(value):
        return _("this cell holds a number that nobody can read.")
    return ""


def _text(value: object) -> str:
    """A cell as somebody would have typed it. Spreadsheets keep 15 digits, so these are what was meant."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float():
            plain = format(Decimal(f"{value:.15g}"), "f")
            return plain.rstrip("0").rstrip(".") if "." in plain else plain
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case _:
            return str(value).replace("_x000D_", "")
