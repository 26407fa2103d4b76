"""Reading a purchase file: one row per line of a purchase, believed only as far as it makes sense.

Nothing here knows the database. A file is read twice: ``survey`` finds out what kind of
file it is and where each purchase ends, ``read`` hands out the purchases one by one. Between the
two only the purchase numbers are remembered, so a file of millions of rows fits.

A row is one physical line of the file: no column may contain a line break, and a quotation mark
that is never closed costs that line only, not the rest of the file.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from app.foundation.errors import InvalidInput
from app.loyalty.earning.reports import ReportedLine
from app.loyalty.earning.rows import Limits, LineError, Part, Row, parse_row

COLUMNS = ("order_no", "occurred_at", "member", "unit", "category", "sku", "quantity", "amount", "currency")
DELIMITERS = (",", ";", "\t")
ENCODINGS = ("utf-8-sig", "gb18030")
LONGEST_LINE = 4_000
CHUNK = 1 << 20


class UnusableFile(InvalidInput):
    """Not a purchase file at all: no row of it can be read."""


@dataclass(frozen=True, slots=True)
class FilePurchase:
    """All rows of one unit and order number that agree with each other; ``rows`` stand in the order of the file."""

    rows: tuple[Row, ...]

    @property
    def head(self) -> Row:
        return self.rows[0]


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at the file found. ``last_lines`` says on which line each purchase is complete."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    rows: int
    last_lines: dict[str, int]


# --- the first look ---------------------------------------------------------------------


def survey(path: Path) -> Survey:
    """Find out encoding, delimiter and columns, and where each purchase ends. Raises ``UnusableFile``."""
    encoding = _encoding(path)
    lines = _lines(path, encoding)
    first = next(lines, None)
    if first is None:
        raise UnusableFile(_("The file is empty. Its first line must name the columns: %(names)s.", names=_names()))
    delimiter, header = _header(first[1])
    reader, rows = _Reader(delimiter, header), 0
    last_lines: dict[str, int] = {}
    for number, text in lines:
        rows += 1
        last_lines[reader.take(text)[0]] = number
    if not rows:
        raise UnusableFile(_("The file has a header but no rows."))
    return Survey(path, encoding, delimiter, header, rows, last_lines)


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


def _header(text: str) -> tuple[str, tuple[str, ...]]:
    """The delimiter and the columns' names. Excel writes semicolons or tabs where the comma is for decimals."""
    best: tuple[str, ...] = ()
    chosen = DELIMITERS[0]
    for delimiter in DELIMITERS:
        names = tuple(cell.strip().lower() for cell in _cells(text, delimiter) or [])
        if len(set(names) & set(COLUMNS)) > len(set(best) & set(COLUMNS)):
            best, chosen = names, delimiter
    missing = [name for name in COLUMNS if name not in best]
    if missing:
        raise UnusableFile(
            _("The header lacks the columns %(missing)s. It must name all of: %(names)s.",
              missing=", ".join(missing), names=_names())
        )  # fmt: skip
    if doubled := sorted({name for name in COLUMNS if best.count(name) > 1}):
        raise UnusableFile(_("The header names the columns %(names)s more than once.", names=", ".join(doubled)))
    return chosen, best


def _names() -> str:
    return ", ".join(COLUMNS)


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


# --- the purchases ----------------------------------------------------------------------


class _Reader:
    """Takes lines apart. Knows where the columns are and, even of a broken line, which purchase it probably means."""

    def __init__(self, delimiter: str, header: Sequence[str]) -> None:
        self.delimiter, self.width = delimiter, len(header)
        self.where = {name: header.index(name) for name in COLUMNS}

    def take(self, text: str) -> tuple[str, dict[str, str] | None]:
        """The purchase that a line belongs to, and its cells by column; no cells if the line is broken.

        A broken line still holds back the purchase that it seems to be a part of: to
        record a purchase without one of its lines would be worse than to wait.
        """
        cells = _cells(text, self.delimiter)
        sound = cells is not None and len(cells) == self.width
        parts = cells if sound and cells else [part.strip('"') for part in text.split(self.delimiter)]
        named = {name: " ".join(parts[index].split()) for name, index in self.where.items() if index < len(parts)}
        key = f"{named.get('unit', '').lower()}\0{named.get('order_no', '')}"
        return key, named if sound else None


def read(
    found: Survey, limits: Limits, *, on_row: Callable[[], object] = lambda: None
) -> Iterator[FilePurchase | LineError]:
    """Every purchase as soon as its last row is read, and every reason why a row was not taken.

    A purchase is whole or not at all: an error in one of its rows leaves out the others, too.
    """
    reader = _Reader(found.delimiter, found.header)
    waiting: dict[str, list[tuple[int, Part]]] = {}
    lines = _lines(found.path, found.encoding)
    next(lines)
    for number, text in lines:
        key, cells = reader.take(text)
        part = parse_row(number, cells, limits) if cells else [LineError(number, _broken(text, found))]
        waiting.setdefault(key, []).append((number, part))
        if found.last_lines[key] == number:
            yield from _purchase(waiting.pop(key))
        on_row()


def _broken(text: str, found: Survey) -> str:
    if len(text) > LONGEST_LINE:
        return _("The line is longer than %(most)s characters.", most=LONGEST_LINE)
    cells = _cells(text, found.delimiter)
    if cells is None:
        return _("The quotation marks of this line do not match.")
    return _("%(cells)s cells where the header has %(columns)s.", cells=len(cells), columns=len(found.header))


def _purchase(parts: Sequence[tuple[int, Part]]) -> Iterator[FilePurchase | LineError]:
    rows = [part for _line, part in parts if isinstance(part, Row)]
    errors = [error for _line, part in parts if not isinstance(part, Row) for error in part]
    errors += _disagreements(rows)
    if not errors:
        yield FilePurchase(tuple(rows))
        return
    wrong = {error.line for error in errors}
    left_out = _("Left out, because line %(line)s of the same purchase has an error.", line=min(wrong))
    errors += [LineError(line, left_out) for line, _part in parts if line not in wrong]
    yield from sorted(errors, key=lambda error: error.line)


def _disagreements(rows: Sequence[Row]) -> list[LineError]:
    """Rows of one purchase must tell the same story, and each line once."""
    errors = []
    seen: dict[ReportedLine, int] = {}
    for row in rows:
        head = rows[0]
        if row.member != head.member:
            errors.append(
                LineError(row.line, _("Another member than on line %(line)s of the same purchase.", line=head.line))
            )
        if row.occurred_at != head.occurred_at:
            errors.append(
                LineError(row.line, _("Another time than on line %(line)s of the same purchase.", line=head.line))
            )
        earlier = seen.setdefault(row.content, row.line)
        if earlier != row.line:
            sentence = _(
                "The same as line %(line)s. Put several pieces into one line, with their quantity.", line=earlier
            )
            errors.append(LineError(row.line, sentence))
    return errors
