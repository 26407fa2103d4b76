"""XLSX files, opened with caution: what unpacks to a flood, runs or leads elsewhere is not opened at all."""

from __future__ import annotations

import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate

from flask_babel import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from app.foundation.sheets import UnusableFile, shortened
from app.mall.catalog.sheets.texts import MOST_COLUMNS, RawRow

MOST_UNPACKED = 32 << 20
MOST_PARTS = 300
# Of the XML inside, where each tag becomes an object in memory: 5,000 rows of 60 columns, and some air.
MOST_TAGS = {
    ("sheetData", "row"): 20_000,  # Most of them blank.
    ("row", "c"): 310_000,
    ("c", "v"): 310_000,
    ("c", "f"): 310_000,
    ("c", "is"): 310_000,
    ("is", "t"): 310_000,
    ("sst", "si"): 310_000,
    ("si", "t"): 310_000,
}
MOST_OTHER_TAGS = 30_000  # Styles and the like, which are slow to build.
MOST_CELLS_IN_ROW = 1_000
MOST_ATTRIBUTES, MOST_ATTRIBUTES_OF_TAG = 1_200_000, 100
LONGEST_PIECE = 1 << 18  # Bytes from one tag to the next; a cell holds 32,767 characters.
LAST_ROW = 1 << 20  # A spreadsheet has no more rows; a file may claim so.
CHUNK = 1 << 16


def rows_of_xlsx(stream: IO[bytes]) -> Iterator[RawRow]:
    """The rows of the first sheet. Raises ``UnusableFile``."""
    _look_inside(stream)
    try:
        sheet = _first_sheet(stream)
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


def _first_sheet(stream: IO[bytes]) -> ReadOnlyWorksheet:
    """Nothing else is read: a workbook may name one sheet ten thousand times, and each would be measured."""
    reader = ExcelReader(stream, read_only=True, keep_links=False)
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    for named, part in reader.parser.find_sheets():
        if "chartsheet" not in part.Type:
            return _Sheet(reader.wb, named.name, part.target, reader.shared_strings)
    raise _not_a_workbook()


class _Sheet(ReadOnlyWorksheet):
    def _get_size(self) -> None:
        """The file's own claim may be anything."""


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
    """Count what comes out, whatever the archive says about itself, and stop where it is too much."""
    inside, size = _Inside(), 0
    for part in parts:
        with archive.open(part) as unpacked:
            look: Callable[[bytes], bool] | None = inside.part()
            while chunk := unpacked.read(CHUNK):
                size += len(chunk)
                if size > MOST_UNPACKED:
                    raise _too_much()
                if look and not look(chunk):
                    look = None  # A picture, for instance.


class _Inside:
    """What the XML of a workbook consists of, as far as it was read. Nothing of it is kept."""

    def __init__(self) -> None:
        self.tags: Counter[tuple[str, str]] = Counter()
        self.others = self.attributes = self.cells_in_row = 0
        self.path = [""]

    def part(self) -> Callable[[bytes], bool]:
        """For the chunks of the next part; false where it is no XML (any more): the library reads no further either."""
        parser, piece = ParserCreate(), 0
        self.path = [""]
        parser.ordered_attributes = True
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.StartDoctypeDeclHandler = self._declare

        def look(chunk: bytes) -> bool:
            nonlocal piece
            last = chunk.rfind(b"<")
            piece = piece + len(chunk) if last < 0 else len(chunk) - last
            if piece > LONGEST_PIECE:
                raise _too_much()
            try:
                parser.Parse(chunk)
            except (ExpatError, LookupError):  # The latter for an encoding that nobody knows.
                return False
            return True

        return look

    def _begin(self, name: str, attributes: list[str]) -> None:
        if ":" in name:
            name = name.rpartition(":")[2]
        tag = self.path[-1], name
        self.path.append(name)
        self.attributes += (many := len(attributes) // 2)
        if tag in MOST_TAGS:
            self.tags[tag] += 1
            self.cells_in_row = self.cells_in_row + 1 if name == "c" else 0 if name == "row" else self.cells_in_row
            full = self.tags[tag] > MOST_TAGS[tag] or self.cells_in_row > MOST_CELLS_IN_ROW
        else:
            self.others += 1
            full = self.others > MOST_OTHER_TAGS
        if full or many > MOST_ATTRIBUTES_OF_TAG or self.attributes > MOST_ATTRIBUTES:
            raise _too_much()

    def _end(self, _name: str) -> None:
        self.path.pop()

    def _declare(self, *_about: object) -> None:
        """A document type could define what unfolds to more and more."""
        raise _not_a_workbook()


def _too_much() -> UnusableFile:
    return UnusableFile(_("This workbook holds more than we can open at once. Split it, or save it as CSV."))


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
