"""A sheet's way through: product by product a dry run, and, once somebody said so, the import.

A step takes some products in a transaction of its own, and moves the sheet's position in the same one: whatever stops
it, and however many work at it, each product is taken once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _

from app.foundation.actors import Actor
from app.foundation.database import db, transaction
from app.foundation.errors import DomainError
from app.foundation.money import programme_currency
from app.foundation.permissions import Permission
from app.identity.staff.queries import staff_by_id, unit_scope
from app.mall.catalog import actions as catalog
from app.mall.catalog.errors import ProductChanged
from app.mall.catalog.limits import lock_products
from app.mall.catalog.office import choices_within
from app.mall.catalog.sheets import queries
from app.mall.catalog.sheets.actions import fail
from app.mall.catalog.sheets.columns import Setting
from app.mall.catalog.sheets.models import (
    CHECKED,
    CHECKING,
    CREATE,
    DONE,
    IMPORTING,
    REFUSED,
    UPDATE,
    SheetImport,
    SheetRow,
)
from app.mall.catalog.sheets.planning import Booking, Plan, plans

CHECKED_AT_ONCE = 200  # Products.
IMPORTED_AT_ONCE = 25
SELF_SERVED = 300  # Rows that a page itself gets through while somebody waits; the worker takes more.


def run(number: int, *, now: datetime, until: float | None = None) -> bool:
    """Steps until the time is over or nothing is left. Is something left?"""
    while True:
        with transaction():
            more = _step(number, now=now)
        if not more:
            return False
        if until is not None and monotonic() >= until:
            return True


def _step(number: int, *, now: datetime) -> bool:
    """The next products. Is there more to do?"""
    sheet = queries.sheet_by_id(number)
    if sheet is None or sheet.state not in (CHECKING, IMPORTING):
        return False
    importing = sheet.state == IMPORTING
    taken = IMPORTED_AT_ONCE if importing else CHECKED_AT_ONCE
    position = min(sheet.position + taken, sheet.parts)
    if not _claim(sheet, position, now):
        return False
    staff = staff_by_id(sheet.staff_id)
    if staff is None or not staff.active or Permission.CATALOG_WRITE not in staff.permissions:
        fail(sheet=sheet, now=now)
        return False
    rows = queries.rows_behind(sheet, parts=taken)
    with force_locale(sheet.language):
        if importing:
            rows = _with_something_to_do(rows)
            lock_products(product_ids={row.product_id for row in rows if row.product_id})
        setting = Setting(choices_within(unit_scope(staff)), programme_currency())
        made = plans(sheet, rows, units=unit_scope(staff), setting=setting, now=now)
        if importing:
            for plan in sorted(made, key=lambda plan: plan.product.id if plan.product else 0):
                _import(plan, by=staff.actor, now=now)
        else:
            _note(made)
    if position == sheet.parts:
        _finish(sheet, now)
    return position < sheet.parts


def _with_something_to_do(rows: Sequence[SheetRow]) -> list[SheetRow]:
    """All rows of the products that the dry run found to be new or changed."""
    busy = {row.part for row in rows if row.verdict in (CREATE, UPDATE)}
    return [row for row in rows if row.part in busy]


def _claim(sheet: SheetImport, position: int, now: datetime) -> bool:
    """Move on, unless somebody else did a moment ago."""
    claimed = (
        sa.update(SheetImport)
        .where(SheetImport.id == sheet.id, SheetImport.state == sheet.state, SheetImport.position == sheet.position)
        .values(position=position, alive_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(db.session.execute(claimed).rowcount)  # type: ignore[attr-defined]


def _finish(sheet: SheetImport, now: datetime) -> None:
    importing = sheet.state == IMPORTING
    values = {"state": DONE, "finished_at": now} if importing else {"state": CHECKED}
    ended = sa.update(SheetImport).where(SheetImport.id == sheet.id).values(alive_at=None, **values)
    db.session.execute(ended.execution_options(synchronize_session=False))


def _note(made: Sequence[Plan]) -> None:
    """What the dry run found."""
    found = [
        {
            "id": row.id,
            "verdict": plan.verdict(row),
            "reasons": plan.said(row),
            "changes": [] if plan.refused else plan.changes.get(row.number, []),
            "revision": plan.product.revision if plan.product else None,
        }
        for plan in made
        for row in plan.rows
    ]
    db.session.execute(sa.update(SheetRow), found)


def _import(plan: Plan, *, by: Actor, now: datetime) -> None:
    """Do what the dry run showed, or, where that no longer holds, nothing of it."""
    try:
        with db.session.begin_nested():
            _refuse_surprises(plan)
            _carry_out(plan, by=by, now=now)
    except (DomainError, sa.exc.IntegrityError) as error:
        for row in plan.rows:
            row.verdict, row.changes, row.reasons = REFUSED, [], [_reason(error)]
        db.session.flush()


def _reason(error: DomainError | sa.exc.IntegrityError) -> str:
    if isinstance(error, (ProductChanged, sa.exc.IntegrityError)):  # Two at once: the database let one of them.
        return _(
            "Somebody changed this product since the dry run. It was left alone; send the sheet again to see what it "
            "would change now."
        )
    return str(error)


def _refuse_surprises(plan: Plan) -> None:
    """Nothing is done that nobody has seen. Pieces are counted up and down, so their number may be another one."""
    if plan.refused:
        raise DomainError(next(plan.said(row)[0] for row in plan.rows if plan.reasons.get(row.number)))
    for row in plan.rows:
        seen, now_found = ([each for each in changes if each[0] != "stock"]
                           for changes in (row.changes, plan.changes.get(row.number, [])))  # fmt: skip
        if seen != now_found or row.revision != (plan.product.revision if plan.product else None):
            raise ProductChanged


def _carry_out(plan: Plan, *, by: Actor, now: datetime) -> None:
    """Raises ``DomainError``."""
    product = plan.product
    if product is None:
        assert plan.draft is not None
        product = catalog.create_product(draft=plan.draft, by=by, now=now)
        for row in plan.rows:
            row.product_id = product.id
    elif plan.draft is not None:
        catalog.update_product(product=product, draft=plan.draft, revision=product.revision, by=by, now=now)
    if plan.status == "listed":
        catalog.list_product(product=product, at=plan.listed_at, by=by, now=now)
    elif plan.status == "archived":
        catalog.archive_product(product=product, by=by, now=now)
    for booking in plan.bookings:
        _book(booking, by=by, now=now)


def _book(booking: Booking, *, by: Actor, now: datetime) -> None:
    """The key is unique: a change of stock that another sheet booked meanwhile is not booked again."""
    booking.row.stock_key = booking.key
    db.session.flush()
    if booking.variant_id is not None:
        catalog.change_stock_by_hand(
            variant_id=booking.variant_id,
            change=booking.change,
            reason="delivery" if booking.change > 0 else "correction",
            reference=booking.note,
            by=by,
            now=now,
        )
