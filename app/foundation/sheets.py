"""Reading a table that somebody sends as a CSV file, believed only as far as it makes sense.

A row is one physical line of the file: no cell may contain a line break, and a quotation mark
that is never closed costs that line only, not the rest of the file. Nothing is kept in memory,
so a file of millions of rows fits.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput

DELIMITERS = (",", ";", "\t")
ENCODINGS = ("utf-8-sig", "gb18030")
LONGEST_LINE = 4_000
CHUNK = 1 << 20
SHOWN = 40
BOM = "\ufeff"  # Without it, spreadsheets take UTF-8 for something older.
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
T = TypeVar("T")


class UnusableFile(InvalidInput):
    """Not such a table at all: no row of it can be read."""


@dataclass(frozen=True, slots=True)
class LineError:
    """Why the row on this line of the file was not taken. Line 1 is the header."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row. ``broken`` says why it cannot be taken apart; ``cells`` are then what it seems to say."""

    number: int
    cells: dict[str, str]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a first look at the file found. ``where`` says in which place each column that we know stands."""

    path: Path
    encoding: str
    delimiter: str
    width: int
    where: dict[str, int]
    absent: tuple[str, ...]

    def lines(self) -> Iterator[Line]:
        """Every row that is not blank, from the top. A column that the file does not have reads as empty."""
        lines = _lines(self.path, self.encoding)
        next(lines)
        for number, text in lines:
            yield self._take(number, text)

    def _take(self, number: int, text: str) -> Line:
        cells = _cells(text, self.delimiter)
        sound = cells is not None and len(cells) == self.width
        parts = cells if cells and sound else [part.strip('"') for part in text.split(self.delimiter)]
        named = {name: " ".join(parts[index].split()) for name, index in self.where.items() if index < len(parts)}
        for name in self.absent:
            named[name] = ""
        return Line(number, named, "" if sound else self._broken(text, cells))

    def _broken(self, text: str, cells: list[str] | None) -> str:
        if len(text) > LONGEST_LINE:
            return _("The line is longer than %(most)s characters.", most=LONGEST_LINE)
        if cells is None:
            return _("The quotation marks of this line do not match.")
        return _("%(cells)s cells where the header has %(columns)s.", cells=len(cells), columns=self.width)


def open_sheet(path: Path, *, columns: Sequence[str], optional: Sequence[str] = ()) -> Sheet:
    """Find out encoding, delimiter and columns. Raises ``UnusableFile``, also where ``columns`` are missing.

    Columns may stand in any order; those that we do not know are passed over.
    """
    encoding = _encoding(path)
    first = next(_lines(path, encoding), None)
    if first is None:
        raise UnusableFile(
            _("The file is empty. Its first line must name the columns: %(names)s.", names=", ".join(columns))
        )
    delimiter, header = _header(first[1], {*columns, *optional})
    if missing := [name for name in columns if name not in header]:
        raise UnusableFile(
            _("The header lacks the columns %(missing)s. It must name all of: %(names)s.",
              missing=", ".join(missing), names=", ".join(columns))
        )  # fmt: skip
    known = [name for name in (*columns, *optional) if name in header]
    if doubled := sorted(name for name in known if header.count(name) > 1):
        raise UnusableFile(_("The header names the columns %(names)s more than once.", names=", ".join(doubled)))
    absent = tuple(name for name in optional if name not in header)
    return Sheet(path, encoding, delimiter, len(header), {name: header.index(name) for name in known}, absent)


def _encoding(path: Path) -> str:
    """The first encoding in which the whole file makes sense."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise UnusableFile(_("The file cannot be opened: %(reason)s.", reason=error.strerror or error)) from error
    if start.startswith(b"PK\x03\x04") or start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnusableFile(_("This is a spreadsheet, not a CSV file. Save it as “CSV UTF-8” and import that."))
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnusableFile(_("The file is encoded as UTF-16. Save it as UTF-8 and import it again."))
    if b"\0" in start:
        raise UnusableFile(_("This is not a text file."))
    for encoding in ENCODINGS:
        if _decodes(path, encoding):
            return encoding
    raise UnusableFile(_("The file is neither UTF-8 nor GB18030 text. Save it as UTF-8 and import it again."))


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """(line number, text) of every line that is not blank. Of an absurdly long line only the beginning is kept."""
    with path.open(encoding=encoding) as file:
        number = 0
        while text := file.readline(LONGEST_LINE + 1):
            number += 1
            rest = text
            while len(rest) > LONGEST_LINE and not rest.endswith("\n"):
                rest = file.readline(LONGEST_LINE + 1)
            if text.strip(" \t\r\n,;"):
                yield number, text.rstrip("\r\n")


def _header(text: str, known: set[str]) -> tuple[str, list[str]]:
    """The delimiter and the columns' names. Excel writes semicolons or tabs where the comma is for decimals."""
    best: list[str] = []
    chosen = DELIMITERS[0]
    for delimiter in DELIMITERS:
        names = [cell.strip().lower() for cell in _cells(text, delimiter) or []]
        if len(set(names) & known) > len(set(best) & known):
            best, chosen = names, delimiter
    return chosen, best


def _cells(text: str, delimiter: str) -> list[str] | None:
    """The cells of one line; ``None`` where the line cannot be taken apart."""
    if len(text) > LONGEST_LINE:
        return None
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


# --- the cells of a row -----------------------------------------------------------------


class Findings:
    """Everything that is wrong with one line, so that it can be said at once."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.errors: list[LineError] = []

    def value(self, parse: Callable[..., T], *arguments: object, default: T) -> T:
        """What ``parse`` makes of its arguments; ``default`` where it raises ``InvalidInput``, which is noted."""
        try:
            return parse(*arguments)
        except InvalidInput as error:
            self.errors.append(LineError(self.line, str(error)))
            return default


def check_text(name: str, text: str, longest: int, optional: bool = False) -> None:
    """Raises ``InvalidInput`` for a cell that is missing, too long or not for people's eyes."""
    if not text and not optional:
        raise InvalidInput(_("The %(column)s is missing.", column=name))
    if len(text) > longest:
        raise InvalidInput(_("The %(column)s is longer than %(most)s characters.", column=name, most=longest))
    if not text.isprintable():
        raise InvalidInput(_("The %(column)s contains characters that cannot be printed.", column=name))


def shortened(text: str) -> str:
    """A cell as an error repeats it."""
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


# --- written for spreadsheets -------------------------------------------------------------


def safe(text: str) -> str:
    """A text that no spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection"""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguarded(text: str) -> str:
    """The other way round: what ``safe`` was given."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA) else text
