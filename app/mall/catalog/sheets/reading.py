"""A sheet that somebody sends, CSV or XLSX, as rows of texts by column; believed only as far as it makes sense."""

from __future__ import annotations

import io
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO

from flask_babel import gettext as _

from app.foundation.sheets import DELIMITERS, UnusableFile, shortened, unguarded
from app.mall.catalog.sheets.columns import COLUMNS
from app.mall.catalog.sheets.texts import RawRow, decoded, rows_of_csv
from app.mall.catalog.sheets.workbooks import rows_of_xlsx

MOST_BYTES = 8 << 20
MOST_ROWS = 5_000
HEADER_WITHIN = 10  # Rows; people write a title above.
SHOWN_UNKNOWN = 20
_NAMES = {name.casefold(): name for name in COLUMNS}


@dataclass(frozen=True, slots=True)
class TableRow:
    """``broken`` says why it cannot be taken apart."""

    number: int
    cells: dict[str, str]
    broken: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """``format`` is how the file was read, in words; ``unknown`` are the columns passed over."""

    format: str
    columns: list[str]
    unknown: list[str]
    rows: list[TableRow]


def read(stream: IO[bytes]) -> Table:
    """Raises ``UnusableFile`` with a sentence."""
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise UnusableFile(_("The file is larger than %(most)s MB. Split it.", most=MOST_BYTES >> 20))
    if not data.strip():
        raise UnusableFile(_("The file is empty."))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnusableFile(
            _("This workbook is of the old XLS kind, or locked with a password. Save it as XLSX without a password.")
        )
    if data.startswith(b"PK\x03\x04"):
        return _table("XLSX", rows_of_xlsx(io.BytesIO(data)))
    text, encoding = decoded(data)
    return _table(f"CSV · {encoding}", rows_of_csv(text, _delimiter(text)))


def _delimiter(text: str) -> str:
    """Excel writes semicolons or tabs where the comma is for decimals: the one that finds the most columns."""

    def found(delimiter: str) -> int:
        try:
            rows = list(islice(rows_of_csv(text, delimiter), HEADER_WITHIN))
        except UnusableFile:
            return 0
        return max((len(_known(row)) for row in rows), default=0)

    return max(DELIMITERS, key=found)


def _known(row: RawRow) -> list[str]:
    return [known for cell in row.cells if (known := _NAMES.get(_bare(cell)))]


def _bare(cell: str) -> str:
    """``Name EN`` is name_en: a header typed by hand."""
    return "_".join(unicodedata.normalize("NFKC", cell).replace("-", " ").casefold().split())


def _table(described: str, rows: Iterator[RawRow]) -> Table:
    header = _header(rows)
    where = {known: place for place, cell in enumerate(header.cells) if (known := _NAMES.get(_bare(cell)))}
    unknown = [shortened(cell.strip()) for cell in header.cells if cell.strip() and _bare(cell) not in _NAMES]
    found: list[TableRow] = []
    for row in rows:
        if len(found) == MOST_ROWS:
            raise UnusableFile(_("The sheet has more than %(most)s rows. Split it.", most=MOST_ROWS))
        found.append(_row(row, where, len(header.cells)))
    if not found:
        raise UnusableFile(_("The sheet has a header, but no row below it."))
    return Table(described, list(where), unknown[:SHOWN_UNKNOWN], found)


def _header(rows: Iterator[RawRow]) -> RawRow:
    """The first row that names a product or a SKU: titles may stand above."""
    for row in islice(rows, HEADER_WITHIN):
        known = _known(row)
        if "sku" not in known and "product" not in known:
            continue
        if doubled := sorted(name for name, many in Counter(known).items() if many > 1):
            raise UnusableFile(_("The header names the columns %(names)s more than once.", names=", ".join(doubled)))
        if row.broken:
            raise UnusableFile(row.broken)
        return row
    raise UnusableFile(
        _("None of the first rows names the columns. One row must name them as an export does, at least “sku” or "
          "“product”.")
    )  # fmt: skip


def _row(row: RawRow, where: dict[str, int], width: int) -> TableRow:
    cells = [unguarded(cell.strip()) for cell in row.cells]
    named = {name: cells[place] if place < len(cells) else "" for name, place in where.items()}
    return TableRow(row.number, named, row.broken or _misfit(row, cells, width))


def _misfit(row: RawRow, cells: Sequence[str], width: int) -> str:
    if not row.padded and (len(cells) < width or any(cells[width:])):
        return _("%(cells)s cells where the header has %(columns)s.", cells=len(cells), columns=width)
    return ""
