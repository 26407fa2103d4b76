"""Products as a sheet: one row per variant, made while it is sent, whatever its length."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from app.foundation.sheets import BOM, safe
from app.mall.catalog.models import Product
from app.mall.catalog.sheets.columns import COLUMNS, Setting, shown, values_of, values_of_variant

NUMBERS = ("list_price", "stock")
WIDE = {"product": 24, "ways_to_pay": 30, "sku": 18}
KEPT_IN_MEMORY = 1 << 20
Cells = Mapping[str, str]


def cells_of(products: Iterable[Product], setting: Setting) -> Iterator[Cells]:
    """One row per variant; the columns of the product are repeated."""
    for product in products:
        common = {column: shown(column, value, setting) for column, value in values_of(product).items()}
        common["product"] = product.slug
        for variant in product.variants:
            own = {column: shown(column, value, setting) for column, value in values_of_variant(variant).items()}
            yield {**common, **own, "sku": variant.sku, "stock": str(variant.stock)}


def as_csv(rows: Iterable[Cells], columns: Sequence[str] = tuple(COLUMNS)) -> Iterator[str]:
    yield BOM + _line(columns)
    for cells in rows:
        yield _line([safe(cells.get(column, "")) for column in columns])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def as_xlsx(rows: Iterable[Cells]) -> IO[bytes]:
    """Written row by row into a temporary file, and rewound."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("products")
    sheet.freeze_panes = "A2"
    for place, column in enumerate(COLUMNS, 1):
        sheet.column_dimensions[get_column_letter(place)].width = WIDE.get(column, 16)
    sheet.append([_header(sheet, column) for column in COLUMNS])
    for cells in rows:
        sheet.append([_cell(sheet, column, cells.get(column, "")) for column in COLUMNS])
    stream = tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY)  # noqa: SIM115 - whoever sends it closes it
    book.save(stream)
    stream.seek(0)
    return stream


def _header(sheet: WriteOnlyWorksheet, column: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, column)
    cell.font = Font(bold=True)
    return cell


def _cell(sheet: WriteOnlyWorksheet, column: str, text: str) -> Any:
    """Figures to calculate with as numbers, everything else as text: spreadsheets would eat the zeros of a SKU."""
    if not text:
        return None
    cell = WriteOnlyCell(sheet, safe(text))
    if column in NUMBERS:
        cell.value, cell.data_type = text, "n"
        cell.number_format = f"0.{'0' * len(text.partition('.')[2])}".rstrip(".")
    else:
        cell.data_type, cell.number_format = "s", "@"
    return cell
