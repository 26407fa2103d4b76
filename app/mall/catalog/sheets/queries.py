"""Reading sheets that were sent. Everybody sees their own only."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from app.foundation.database import db
from app.foundation.listing import Part, part_of
from app.mall.catalog.models import Product
from app.mall.catalog.sheets.models import CHECKING, IMPORTING, SheetImport, SheetRow


def sheet_of(staff_id: int, key: str) -> SheetImport | None:
    which = sa.select(SheetImport).where(SheetImport.staff_id == staff_id, SheetImport.key == key)
    return db.session.scalars(which.execution_options(populate_existing=True)).one_or_none()


def sheet_by_id(number: int) -> SheetImport | None:
    which = sa.select(SheetImport).where(SheetImport.id == number)
    return db.session.scalars(which.execution_options(populate_existing=True)).one_or_none()


def latest_sheets(staff_id: int, *, limit: int = 8) -> Sequence[SheetImport]:
    which = sa.select(SheetImport).where(SheetImport.staff_id == staff_id)
    return db.session.scalars(which.order_by(SheetImport.id.desc()).limit(limit)).all()


def oldest_under_way() -> SheetImport | None:
    """What the worker goes on with."""
    which = sa.select(SheetImport).where(SheetImport.state.in_((CHECKING, IMPORTING))).order_by(SheetImport.id)
    return db.session.scalars(which.limit(1).execution_options(populate_existing=True)).one_or_none()


def tally(sheet: SheetImport) -> dict[str, int]:
    """How many rows there are of each verdict."""
    counted = sa.select(SheetRow.verdict, sa.func.count().label("many")).where(SheetRow.import_id == sheet.id)
    return {row.verdict: row.many for row in db.session.execute(counted.group_by(SheetRow.verdict))}


def rows_of(sheet: SheetImport, *, verdict: str = "", after: str | None = None, limit: int) -> Part[SheetRow]:
    """From the top of the sheet."""
    which = sa.select(SheetRow).where(SheetRow.import_id == sheet.id)
    if verdict:
        which = which.where(SheetRow.verdict == verdict)
    return part_of(which, keys=[SheetRow.number], after=after, limit=limit, newest_first=False)


def rows_behind(sheet: SheetImport, *, parts: int) -> Sequence[SheetRow]:
    """All rows of the next products after the sheet's position."""
    last = sheet.position + parts
    which = sa.select(SheetRow).where(
        SheetRow.import_id == sheet.id, SheetRow.part > sheet.position, SheetRow.part <= last
    )
    return db.session.scalars(which.order_by(SheetRow.number).execution_options(populate_existing=True)).all()


def slugs_by_id(ids: Sequence[int]) -> dict[int, tuple[str, dict[str, str]]]:
    """Where a row's product is to be found, and its name."""
    found = sa.select(Product.id, Product.slug, Product.name).where(Product.id.in_(ids))
    return {id_: (slug, name) for id_, slug, name in db.session.execute(found)}
