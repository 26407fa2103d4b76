"""What a sheet would do, product by product. Reads, and writes nothing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from app.config import LOCALES
from app.foundation.database import any_of, db
from app.foundation.errors import InvalidInput
from app.foundation.formats import points
from app.foundation.sheets import shortened
from app.mall.catalog.counted import COUNTED
from app.mall.catalog.editing import check
from app.mall.catalog.models import Product, StockMovement, Variant
from app.mall.catalog.queries import whole
from app.mall.catalog.rules import MOST_STOCK, MOST_VARIANTS, ProductDraft, VariantDraft
from app.mall.catalog.sheets.columns import (
    NEEDED,
    PRODUCT_COLUMNS,
    VARIANT_COLUMNS,
    Setting,
    change_of,
    note_of,
    read_cell,
    shown,
    sku_of,
    stock_of,
    values_of,
    values_of_variant,
)
from app.mall.catalog.sheets.drafts import names_in, product_draft, variant_draft
from app.mall.catalog.sheets.models import CREATE, REFUSED, SAME, UPDATE, SheetImport, SheetRow
from app.mall.catalog.stockroom import Scope, within
from app.mall.catalog.typed import plain_digits

T = TypeVar("T")
_LISTING = ("status", "listed_at")  # Not part of a draft: they are changed by actions of their own.


@dataclass(frozen=True, slots=True)
class Booking:
    """A change of stock; ``variant_id`` is ``None`` for a SKU that is new and begins with it."""

    row: SheetRow
    variant_id: int | None
    change: int
    note: str
    key: str


@dataclass(slots=True)
class Plan:
    """What becomes of the rows of one product.

    ``draft`` is ``None`` where the product itself stays as it is, ``status`` where nobody lists or archives it.
    ``reasons`` and ``remarks`` are by row number, and so are ``changes``: [column, old, new].
    """

    rows: Sequence[SheetRow]
    product: Product | None
    draft: ProductDraft | None = None
    status: str | None = None
    listed_at: datetime | None = None
    bookings: list[Booking] = field(default_factory=list)
    reasons: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    remarks: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    changes: dict[int, list[list[str]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def refused(self) -> bool:
        return any(self.reasons.values())

    def verdict(self, row: SheetRow) -> str:
        if self.refused:
            return REFUSED
        if self.product is None:
            return CREATE
        return UPDATE if self.changes.get(row.number) else SAME

    def said(self, row: SheetRow) -> list[str]:
        """Why the row is refused, or what else there is to know. A product is taken over whole or not at all."""
        if not self.refused:
            return self.remarks.get(row.number, [])
        if own := self.reasons.get(row.number):
            return own
        first = min(number for number, reasons in self.reasons.items() if reasons)
        return [_("Row %(row)s of the same product is refused.", row=first)]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the plans of many products look at, read at once. ``owners`` is SKU → product and variant."""

    setting: Setting
    units: Scope
    products: Mapping[int, Product]
    owners: Mapping[str, tuple[int, int]]
    booked: frozenset[str]
    notes: frozenset[tuple[int, str]]


def plans(sheet: SheetImport, rows: Sequence[SheetRow], *, units: Scope, setting: Setting, now: datetime) -> list[Plan]:
    """One for each product among ``rows``, which must have all rows of each: a handful of queries, however many."""
    around = _surroundings(sheet, rows, units, setting)
    parts: dict[int, list[SheetRow]] = defaultdict(list)
    for row in rows:
        parts[row.part].append(row)
    return [_Planner(sheet, part, around, now).plan() for part in parts.values()]


def _surroundings(sheet: SheetImport, rows: Sequence[SheetRow], units: Scope, setting: Setting) -> Surroundings:
    ids = {row.product_id for row in rows if row.product_id}
    wanted = sa.select(Product).where(any_of(Product.id, ids), *within(units)).options(*whole())
    products = {product.id: product for product in db.session.scalars(wanted)}
    skus = {bare_sku(row.cells.get("sku", "")) for row in rows}
    found = sa.select(Variant.sku, Variant.product_id, Variant.id).where(any_of(Variant.sku, skus))
    owners = {sku: (product_id, variant_id) for sku, product_id, variant_id in db.session.execute(found)}
    keys = {stock_key(sheet, sku) for sku in skus}
    booked = db.session.scalars(sa.select(SheetRow.stock_key).where(any_of(SheetRow.stock_key, keys)))
    notes = {note for row in rows if (note := " ".join(row.cells.get("delivery_note", "").split()))}
    noted = sa.select(StockMovement.variant_id, StockMovement.reference).where(
        any_of(StockMovement.reference, notes), StockMovement.reason.in_(("delivery", "correction"))
    )
    return Surroundings(
        setting,
        units,
        products,
        owners,
        frozenset(key for key in booked if key),
        frozenset((variant_id, note) for variant_id, note in db.session.execute(noted)) if notes else frozenset(),
    )


def bare_sku(text: str) -> str:
    """A SKU as it is looked up, whether it is one or not."""
    return plain_digits(text).upper()


def stock_key(sheet: SheetImport, sku: str) -> str:
    """Names the fact that a SKU's stock was changed as this sheet, or another with the same changes, says."""
    return hashlib.sha256(f"{sheet.stock_seal} {sku}".encode()).hexdigest()


class _Planner:
    """The plan of one product. What is wrong is noted row by row, all of it at once."""

    def __init__(self, sheet: SheetImport, rows: Sequence[SheetRow], around: Surroundings, now: datetime) -> None:
        self.sheet, self.rows, self.around, self.now = sheet, rows, around, now
        self.setting = around.setting
        self.result = Plan(rows, around.products.get(rows[0].product_id or 0))
        self.product = self.result.product

    def plan(self) -> Plan:
        for row in self.rows:
            if row.broken:
                self.result.reasons[row.number].append(row.broken)
        named = self.rows[0].cells.get("product", "")
        if self.product is None and (named or self.rows[0].product_id):
            for row in self.rows:
                if not row.broken:
                    self.result.reasons[row.number].append(
                        _("None of your products is “%(name)s”.", name=shortened(named or row.cells.get("sku", "")))
                    )
            return self.result
        values = self._values()
        variants = self._variants()
        if not self.result.refused:
            self._decide(values, variants)
        return self.result

    def _refuse(self, row: SheetRow, sentence: str, column: str = "") -> None:
        said = _("%(column)s: %(sentence)s", column=column, sentence=sentence) if column else sentence
        self.result.reasons[row.number].append(said)

    def _taken(self, row: SheetRow, column: str, read: Callable[..., T], *arguments: Any) -> T | None:
        """What ``read`` makes of a cell; ``None`` where it refuses, which is noted."""
        try:
            return read(*arguments)
        except InvalidInput as error:
            self._refuse(row, str(error), column)
            return None

    # --- what the columns of the product say ---

    def _values(self) -> dict[str, Any]:
        """The product's values with those that the sheet changes."""
        now_there = values_of(self.product) if self.product else {}
        values = dict(now_there)
        first = self.rows[0]
        columns = [column for column in PRODUCT_COLUMNS if column in self.sheet.columns]
        for column in columns:
            cell = first.cells[column]
            old = shown(column, now_there[column], self.setting) if now_there else ""
            if self._says_nothing(column, cell):
                self._compare(column, old, old)
                continue
            errors = len(self.result.reasons[first.number])
            value = self._taken(first, column, read_cell, column, cell, self.setting)
            if len(self.result.reasons[first.number]) > errors:
                continue
            new = shown(column, value, self.setting)
            if new != old:
                values[column] = value
                self._note_change(first, column, old, new)
            self._compare(column, new, old)
        if not self.product:
            self._fill_in(values)
        return values

    def _says_nothing(self, column: str, cell: str) -> bool:
        """An empty status leaves it as it is; what is missing on a new product is said once."""
        return not cell and (column in _LISTING or (self.product is None and column in NEEDED))

    def _compare(self, column: str, new: str, old: str) -> None:
        """Further rows of a product repeat what the first one says, are empty, or say what holds now."""
        for row in self.rows[1:]:
            cell = row.cells[column]
            if not cell or cell == self.rows[0].cells[column]:
                continue
            try:
                said = shown(column, read_cell(column, cell, self.setting), self.setting)
            except InvalidInput as error:
                self._refuse(row, str(error), column)
                continue
            if said not in (new, old):
                self._refuse(
                    row,
                    _("row %(row)s says something else about the same product.", row=self.rows[0].number),
                    column,
                )

    def _fill_in(self, values: dict[str, Any]) -> None:
        """What a new product is made of where the sheet does not say."""
        first, units = self.rows[0], self.setting.choices.ids["unit"]
        if len(units) == 1 and not first.cells.get("unit"):
            values["unit"] = next(iter(units.values()))
        said = {column for column in NEEDED if first.cells.get(column)}
        if missing := [column for column in NEEDED if column not in said and column not in values]:
            self._refuse(first, _("A new product needs: %(columns)s.", columns=", ".join(missing)))
        for column in PRODUCT_COLUMNS:
            values.setdefault(column, None)
        values["status"] = values["status"] or "draft"

    # --- what the columns of the variants say ---

    def _variants(self) -> list[VariantDraft]:
        """All variants of the product as they should be: those of the sheet, and the others as they are."""
        present = {variant.id: variant for variant in self.product.variants} if self.product else {}
        wanted = {variant.id: variant_draft(variant) for variant in present.values()}
        added: list[VariantDraft] = []
        for row in self.rows:
            if row.broken or not self._names_a_variant(row):
                continue
            sku = self._taken(row, "sku", sku_of, row.cells["sku"])
            if sku is None:
                continue
            product_id, variant_id = self.around.owners.get(sku, (None, None))
            if product_id is None:
                added.append(self._new_variant(row, sku))
            elif variant_id in present:
                wanted[variant_id] = self._changed_variant(row, present[variant_id])
            else:
                self._refuse(row, _("Another product already has this SKU."), "sku")
        if len(wanted) + len(added) > MOST_VARIANTS:
            self._refuse(self.rows[0], _("A product has at most %(most)s variants.", most=MOST_VARIANTS))
        return [*wanted.values(), *added]

    def _names_a_variant(self, row: SheetRow) -> bool:
        if row.cells.get("sku") or not self.product:
            return True
        told = [column for column in ("stock_change", *VARIANT_COLUMNS) if row.cells.get(column)]
        if told:
            self._refuse(row, _("Which variant? Please write its SKU."), "sku")
        return False

    def _variant_values(self, row: SheetRow, now_there: Mapping[str, Any]) -> dict[str, Any]:
        values = dict(now_there)
        for column in VARIANT_COLUMNS:
            cell = row.cells.get(column)
            if cell is None or (not cell and column == "variant_on_sale"):
                continue
            value = self._taken(row, column, read_cell, column, cell, self.setting)
            if value is None:
                continue
            old, new = (shown(column, each, self.setting) for each in (now_there[column], value))
            if new != old:
                values[column] = value
                self._note_change(row, column, old, new)
        return values

    def _new_variant(self, row: SheetRow, sku: str) -> VariantDraft:
        self._note_change(row, "sku", "", sku)
        blank = {**{f"variant_name_{locale}": "" for locale in LOCALES}, "variant_on_sale": True}
        values = self._variant_values(row, blank)
        stock = self._taken(row, "stock", stock_of, row.cells.get("stock", "")) or 0
        change = self._taken(row, "stock_change", change_of, row.cells.get("stock_change", "")) or 0
        key = stock_key(self.sheet, sku)
        if stock and change:
            self._refuse(row, _("A new SKU begins with stock or with stock_change, not with both."), "stock_change")
        elif change < 0:
            self._refuse(row, _("A new SKU has no pieces that could be taken away."), "stock_change")
        elif change:
            self.result.bookings.append(Booking(row, None, change, "", key))
        if begins_with := stock or change:
            self._note_change(row, "stock", "", str(begins_with))
        return VariantDraft(
            sku=sku, name=names_in(values, "variant_name"), stock=begins_with, active=values["variant_on_sale"]
        )

    def _changed_variant(self, row: SheetRow, variant: Variant) -> VariantDraft:
        values = self._variant_values(row, values_of_variant(variant))
        self._book(row, variant)
        name = names_in(values, "variant_name")
        return replace(variant_draft(variant), name=name, active=values["variant_on_sale"])

    def _book(self, row: SheetRow, variant: Variant) -> None:
        cells = row.cells
        change = self._taken(row, "stock_change", change_of, cells.get("stock_change", ""))
        note = self._taken(row, "delivery_note", note_of, cells.get("delivery_note", ""))
        if change is None or note is None:
            return
        if not change:
            if (stock := cells.get("stock")) and plain_digits(stock) != str(variant.stock):
                self.result.remarks[row.number].append(
                    _("stock is for information; there are %(stock)s. Write the difference into stock_change.",
                      stock=points(variant.stock))
                )  # fmt: skip
            return
        key = stock_key(self.sheet, variant.sku)
        if key in self.around.booked or (note and (variant.id, note) in self.around.notes):
            self.result.remarks[row.number].append(
                _("The change of stock was booked before and is left out. For a new delivery write its delivery_note.")
            )
        elif self.product and self.product.kind in COUNTED:
            self._refuse(row, str(COUNTED[self.product.kind]), "stock_change")
        elif variant.stock + change < 0:
            self._refuse(row, _("not so many are there, only %(stock)s.", stock=points(variant.stock)), "stock_change")
        elif variant.stock + change > MOST_STOCK:
            self._refuse(
                row, _("That would be more pieces than we can count. Please check the figure."), "stock_change"
            )
        else:
            self._note_change(row, "stock", str(variant.stock), str(variant.stock + change))
            self.result.bookings.append(Booking(row, variant.id, change, note, key))

    # --- all of it together ---

    def _note_change(self, row: SheetRow, column: str, old: str, new: str) -> None:
        self.result.changes[row.number].append([column, old, new])

    def _decide(self, values: dict[str, Any], variants: list[VariantDraft]) -> None:
        first = self.rows[0]
        draft = product_draft(values, variants)
        try:
            check(draft, self.product, units=self.around.units)
            self._decide_listing(values, draft)
        except InvalidInput as error:
            self._refuse(first, str(error))
            return
        about_stock_or_listing = {"stock", *_LISTING}
        changed = {column for changes in self.result.changes.values() for column, _old, _new in changes}
        if self.product is None or changed - about_stock_or_listing:
            self.result.draft = draft

    def _decide_listing(self, values: Mapping[str, Any], draft: ProductDraft) -> None:
        """Raises ``InvalidInput``."""
        before = self.product.status if self.product else "draft"
        status, at = values["status"], values["listed_at"]
        asked = {column for column, _old, _new in self.result.changes.get(self.rows[0].number, [])} & set(_LISTING)
        if not asked or (status == before == "draft" and at is None):
            return
        if status == "draft" and before != "draft":
            raise InvalidInput(_("status: what was listed is no draft again. Write archived to take it off the mall."))
        if status != "listed":
            if "listed_at" in asked and at is not None:
                raise InvalidInput(_("listed_at: only what is listed has such a moment. Write listed as its status."))
            self.result.status = "archived" if status != before else None
            return
        if before == "listed" and at is not None and at <= self.now and self.product and self._listed_before():
            raise InvalidInput(_("listed_at: members see it already; only a moment to come can be set."))
        if not any(variant.active for variant in draft.variants):
            raise InvalidInput(_("No variant is on sale. Put one on sale first, then list the product."))
        self.result.status, self.result.listed_at = "listed", at

    def _listed_before(self) -> bool:
        listed_at = self.product.listed_at if self.product else None
        return listed_at is not None and listed_at <= self.now
