"""Take a sheet in, and say that it may be imported. The work itself is in ``steps``."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import any_of, db, insert_all
from app.foundation.languages import current_locale
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.sheets.models import CANCELLED, CHECKED, CHECKING, FAILED, IMPORTING, SheetImport, SheetRow
from app.mall.catalog.sheets.planning import bare_sku
from app.mall.catalog.stockroom import Scope, within

if TYPE_CHECKING:
    from app.mall.catalog.sheets.reading import Table, TableRow

LONGEST_FILE_NAME = 120

audit.describe(
    "sheet",
    _l("Product sheet"),
    {"sheet.import": _l("Product sheet imported"), "sheet.cancel": _l("Import of a product sheet stopped")},
)


def receive(*, table: Table, file: str, staff_id: int, units: Scope, now: datetime) -> SheetImport:
    """Keep what stands in a sheet, to be tried out next. Nothing of the catalogue changes."""
    known = _known_products(table, units)
    parts = _Parts(known)
    rows = [parts.place(row) for row in table.rows]
    sheet = SheetImport(
        key=secrets.token_urlsafe(16),
        staff_id=staff_id,
        language=current_locale(),
        file=_printable(file)[:LONGEST_FILE_NAME],
        format=table.format,
        columns=table.columns,
        unknown=table.unknown,
        stock_seal=_stock_seal(table.rows),
        state=CHECKING,
        rows=len(rows),
        parts=parts.count,
        position=0,
        sent_at=now,
    )
    db.session.add(sheet)
    db.session.flush()
    insert_all(SheetRow, [{**row, "import_id": sheet.id} for row in rows])
    return sheet


def _printable(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable()) or "?"


def _stock_seal(rows: Sequence[TableRow]) -> str:
    """Stands for all changes of stock together: the same sheet sent again has the same one."""
    wanted = ("sku", "stock_change", "delivery_note")
    changes = sorted([row.cells.get(name, "") for name in wanted] for row in rows if row.cells.get("stock_change"))
    return hashlib.sha256(json.dumps(changes).encode()).hexdigest()


def _known_products(table: Table, units: Scope) -> Mapping[str, int]:
    """``slug:…`` and ``sku:…`` → product, of these units."""
    slugs = {slug for row in table.rows if (slug := _slug(row))}
    skus = {sku for row in table.rows if (sku := bare_sku(row.cells.get("sku", "")))}
    by_slug = sa.select(Product.slug, Product.id).where(any_of(Product.slug, slugs), *within(units))
    by_sku = sa.select(Variant.sku, Product.id).join(Product, Product.id == Variant.product_id)
    by_sku = by_sku.where(any_of(Variant.sku, skus), *within(units))
    known = {f"slug:{slug}": product_id for slug, product_id in db.session.execute(by_slug)}
    return known | {f"sku:{sku}": product_id for sku, product_id in db.session.execute(by_sku)}


def _slug(row: TableRow) -> str:
    return row.cells.get("product", "").casefold()


class _Parts:
    """Which rows belong to one product, counted from 1 in the order of the sheet."""

    def __init__(self, known: Mapping[str, int]) -> None:
        self.known = known
        self.numbers: dict[object, int] = {}
        self.skus: dict[str, int] = {}
        self.above: tuple[object, int | None] = (None, None)

    @property
    def count(self) -> int:
        return len(self.numbers)

    def place(self, row: TableRow) -> dict[str, object]:
        which, product_id = self.above = self._belongs(row)
        return {
            "number": row.number,
            "part": self.numbers.setdefault(which, len(self.numbers) + 1),
            "product_id": product_id,
            "cells": row.cells,
            "broken": row.broken or self._doubled(row),
            "verdict": "",
            "reasons": [],
            "changes": [],
        }

    def _belongs(self, row: TableRow) -> tuple[object, int | None]:
        """By its address, else by its SKU; else it is new, together with the rows of the same names.

        A row that names nothing but a SKU stands below a merged cell: it belongs to the product above.
        """
        slug, sku = _slug(row), bare_sku(row.cells.get("sku", ""))
        if slug:
            product_id = self.known.get(f"slug:{slug}")
            return (product_id or f"slug:{slug}"), product_id
        if product_id := self.known.get(f"sku:{sku}"):
            return product_id, product_id
        names = tuple(text for name, text in row.cells.items() if name.startswith("name_"))
        if any(names):
            return names, None
        return self.above if self.above[0] is not None else (f"row:{row.number}", None)

    def _doubled(self, row: TableRow) -> str:
        sku = bare_sku(row.cells.get("sku", ""))
        first = self.skus.setdefault(sku, row.number) if sku else row.number
        return "" if first == row.number else _("Row %(row)s has the same SKU.", row=first)


def start(*, sheet: SheetImport, by: Actor, now: datetime) -> bool:
    """The dry run was looked at, and the sheet may be imported. False where that was said before: once is enough."""
    if not _move(sheet, CHECKED, IMPORTING, position=0):
        return False
    subject = ("sheet", sheet.key, sheet.file)
    audit.record("sheet.import", subject=subject, by=by, now=now, after={"rows": sheet.rows, "format": sheet.format})
    return True


def stop(*, sheet: SheetImport, by: Actor, now: datetime) -> bool:
    """Go no further. What was imported stays."""
    stopped = any(
        _move(sheet, state, CANCELLED, finished_at=now, alive_at=None) for state in (CHECKING, CHECKED, IMPORTING)
    )
    if stopped:
        audit.record("sheet.cancel", subject=("sheet", sheet.key, sheet.file), by=by, now=now)
    return stopped


def fail(*, sheet: SheetImport, now: datetime) -> None:
    for state in (CHECKING, IMPORTING):
        _move(sheet, state, FAILED, finished_at=now, alive_at=None)


def _move(sheet: SheetImport, before: str, after: str, **values: object) -> bool:
    """Of two who say it at once, one does."""
    moved = (
        sa.update(SheetImport)
        .where(SheetImport.id == sheet.id, SheetImport.state == before)
        .values(state=after, **values)
        .execution_options(synchronize_session=False)
    )
    return bool(db.session.execute(moved).rowcount)  # type: ignore[attr-defined]
