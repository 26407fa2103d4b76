"""CSV files in the encodings and with the delimiters that spreadsheets write. A cell may hold several lines."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import gettext as _

from app.foundation.sheets import UnusableFile

MOST_COLUMNS = 200
MOST_RAW_ROWS = 50_000  # With the blank ones, which spreadsheets like to write below the others.
FIRST_CJK = "\u2e80"
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
LABELS = {"utf-8": "UTF-8", "utf-16": "UTF-16", "gb18030": "GB18030"}


@dataclass(frozen=True, slots=True)
class RawRow:
    """``number`` is what a spreadsheet shows beside it. A ``padded`` row may be shorter than the header."""

    number: int
    cells: list[str]
    broken: str = ""
    padded: bool = False


def decoded(data: bytes) -> tuple[str, str]:
    """The text, and what the encoding is called. Raises ``UnusableFile``."""
    encoding = next((name for bom, name in _BOMS.items() if data.startswith(bom)), "") or _guess(data)
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnusableFile(
            _("Line %(line)s is not %(encoding)s text. Save the whole file as UTF-8.",
              line=line, encoding=LABELS[encoding])
        ) from error  # fmt: skip
    if "\0" in text:
        raise UnusableFile(_("This is not a text file."))
    return text, LABELS[encoding]


def _guess(data: bytes) -> str:
    """Without a mark: UTF-8 if all of it makes sense so, else what Chinese Windows writes; never half of each."""
    foreign = chinese = 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            highest = max(line.decode())
        except UnicodeDecodeError:
            foreign = foreign or number
            continue
        # Two bytes that are one Chinese character in GB18030 are sometimes one of UTF-8 by chance, three hardly.
        if highest >= FIRST_CJK:
            chinese = chinese or number
    if chinese and foreign:
        raise UnusableFile(
            _("The file mixes encodings: line %(one)s is UTF-8, line %(other)s is not. Save the whole file as UTF-8.",
              one=chinese, other=foreign)
        )  # fmt: skip
    return "gb18030" if foreign else "utf-8"


def rows_of_csv(text: str, delimiter: str) -> Iterator[RawRow]:
    """Raises ``UnusableFile`` where the quotation marks do not match: nobody knows what the rest would be."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number, line = 0, 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnusableFile(
                _("The quotation marks of the row that begins in line %(line)s do not match.", line=line)
            ) from error
        number, line = number + 1, reader.line_num + 1
        if len(cells) > MOST_COLUMNS:
            raise UnusableFile(
                _("Row %(row)s has more than %(most)s cells. Leave out what is no column of ours.",
                  row=number, most=MOST_COLUMNS)
            )  # fmt: skip
        if number > MOST_RAW_ROWS:
            raise UnusableFile(_("The sheet has more than %(most)s rows. Split it.", most=MOST_RAW_ROWS))
        if any(cell.strip() for cell in cells):
            yield RawRow(number, cells)
