"""Reading a purchase file: one row per line of a purchase.

Nothing here knows the database. A file is read twice: ``survey`` finds out where each purchase
ends, ``read`` hands out the purchases one by one. Between the two only the purchase numbers are
remembered, so a file of millions of rows fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from app.foundation.sheets import Line, LineError, Sheet, UnusableFile, open_sheet
from app.loyalty.earning.rows import Limits, Part, Row, parse_row
from app.loyalty.purchases.actions import ReportedLine

COLUMNS = ("order_no", "occurred_at", "member", "unit", "category", "sku", "quantity", "amount", "currency")


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

    sheet: Sheet
    rows: int
    last_lines: dict[str, int]


def survey(path: Path) -> Survey:
    """Find out what kind of file it is, and where each purchase ends. Raises ``UnusableFile``."""
    sheet, rows = open_sheet(path, columns=COLUMNS), 0
    last_lines: dict[str, int] = {}
    for line in sheet.lines():
        rows += 1
        last_lines[_key(line)] = line.number
    if not rows:
        raise UnusableFile(_("The file has a header but no rows."))
    return Survey(sheet, rows, last_lines)


def _key(line: Line) -> str:
    """The purchase that a line belongs to, also of a broken line.

    It still holds back the purchase that it seems to be a part of: to record a purchase
    without one of its lines would be worse than to wait.
    """
    return f"{line.cells.get('unit', '').lower()}\0{line.cells.get('order_no', '')}"


def read(
    found: Survey, limits: Limits, *, on_row: Callable[[], object] = lambda: None
) -> Iterator[FilePurchase | LineError]:
    """Every purchase as soon as its last row is read, and every reason why a row was not taken.

    A purchase is whole or not at all: an error in one of its rows leaves out the others, too.
    """
    waiting: dict[str, list[tuple[int, Part]]] = {}
    for line in found.sheet.lines():
        key = _key(line)
        waiting.setdefault(key, []).append((line.number, parse_row(line, limits)))
        if found.last_lines[key] == line.number:
            yield from _purchase(waiting.pop(key))
        on_row()


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
