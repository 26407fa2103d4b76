"""Forms of the catalogue. What a person typed is kept as typed; parsed values stand beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Field,
    FieldList,
    Form,
    FormField,
    HiddenField,
    MultipleFileField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import ValidationError

from app.foundation.errors import NotFound
from app.foundation.formtools import at_most, by_language, texts_of
from app.foundation.money import Money
from app.foundation.points import Points
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.rules import (
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    MOST_CASH,
    MOST_POINTS,
    SKU,
    ProductDraft,
    VariantDraft,
    Way,
    is_plain,
)

MOST_WAYS = 12
MOST_VARIANTS = 50
MOST_PIECES = 1_000_000
DIGITS = re.compile(r"[0-9]{1,18}")
DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]+))?")


# --- fields -------------------------------------------------------------------------------


def one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def whole(text: str | None) -> str:
    """Full-width digits, as Chinese keyboards make them, are digits."""
    return unicodedata.normalize("NFKC", text or "").strip()


def plain(_form: Form, field: Field) -> None:
    if not is_plain(field.data or ""):
        raise ValidationError(_("Please write plain text, without < and > and without invisible characters."))


def readable(_form: Form, field: Field) -> None:
    if not is_plain((field.data or "").replace("<", "").replace(">", "")):
        raise ValidationError(_("This text contains invisible characters. Please remove them."))


class MoneyField(StringField):
    """An amount in the programme's currency; ``money`` is it, once the form is valid."""

    money: Money | None = None

    def __init__(self, label: Any = None, **options: Any) -> None:
        super().__init__(label, filters=[whole], **options)

    def read(self, currency: str) -> None:
        """Raises ``ValidationError`` with a sentence."""
        text = self.data or ""
        if text.startswith(("-", "−")):
            raise ValidationError(_("An amount cannot be negative."))
        match = DECIMAL.fullmatch(text)
        if not match:
            raise ValidationError(_("Please write an amount such as 129.00, with digits and a point only."))
        precision = get_currency_precision(currency)
        if len(match[2] or "") > precision:
            raise ValidationError(
                _("%(currency)s has at most %(digits)s digits after the point.", currency=currency, digits=precision)
            )
        if len(match[1]) > len(str(MOST_CASH)) or Money.parse(text, currency).amount > MOST_CASH:
            raise ValidationError(_("This amount is too large. Please check it."))
        self.money = Money.parse(text, currency)


class WholeField(StringField):
    """A whole number between two others; ``number`` is it, once the form is valid."""

    number: int = 0

    def __init__(self, label: Any = None, *, least: int, most: int, **options: Any) -> None:
        super().__init__(label, filters=[whole], **options)
        self.least, self.most = least, most

    def read(self) -> None:
        """Raises ``ValidationError`` with a sentence."""
        text = (self.data or "").replace("−", "-").removeprefix("+")
        if not DIGITS.fullmatch(text.removeprefix("-")):
            raise ValidationError(_("Please write a whole number, with digits only."))
        if not self.least <= int(text) <= self.most:
            raise ValidationError(
                _("Please write a number from %(least)s to %(most)s.", least=self.least, most=self.most)
            )
        self.number = int(text)


class Rows(FieldList):
    """Rows of a table. Takes no row numbers but small plain ones, whatever is sent."""

    def _extract_indices(self, prefix: str, formdata: Mapping[str, Any]) -> Iterator[int]:
        for key in formdata:
            if match := re.match(rf"{re.escape(prefix)}-([0-9]{{1,3}})(?:-|$)", key):
                yield int(match[1])


def blame(field: Field, sentence: str, rows: FieldList | None = None) -> None:
    """Put a sentence beside a field, and let the form know that it has an error."""
    field.errors = [*field.errors, sentence]
    if rows is not None and not rows.errors:
        rows.errors = [sentence]


def reads(field: MoneyField | WholeField, *currency: str, rows: FieldList | None = None) -> bool:
    """Parse a field; the sentence lands beside it if that fails."""
    try:
        field.read(*currency)
    except ValidationError as error:
        blame(field, str(error), rows)
        return False
    return True


def chosen(field: SelectField) -> bool:
    if field.data in [choice.value for choice in field.choices]:
        return True
    blame(field, _("Please choose one of the list."))
    return False


# --- a product ------------------------------------------------------------------------------


def name_field(label: Any) -> StringField:
    return StringField(label, filters=[one_line], validators=[at_most(LONGEST_NAME), plain])


def description_field(label: Any) -> TextAreaField:
    checks = [at_most(LONGEST_DESCRIPTION), readable]
    return TextAreaField(label, filters=[lambda text: (text or "").strip()], validators=checks)


class WayRow(Form):
    """``points`` alone, or with ``cash``. An empty row is no way."""

    points = WholeField(_l("Points"), least=1, most=MOST_POINTS)
    cash = MoneyField(_l("Cash"))

    @property
    def empty(self) -> bool:
        return not self.points.data and not self.cash.data


class VariantRow(Form):
    """``id`` names a variant that exists; only a new one has ``stock`` to begin with."""

    id = HiddenField()
    sku = StringField(_l("SKU"), filters=[lambda text: whole(text).upper()])
    name_en = name_field(_l("English"))
    name_zh_Hans = name_field(_l("Simplified Chinese"))  # noqa: N815 - the name ends with the language's code
    name_zh_Hant = name_field(_l("Traditional Chinese"))  # noqa: N815
    stock = WholeField(_l("Stock to begin with"), least=0, most=MOST_PIECES)
    active = BooleanField(_l("On sale"), default=True)

    @property
    def empty(self) -> bool:
        return not (self.id.data or self.sku.data or self.stock.data or any(texts_of(self.data, "name").values()))


class ProductForm(FlaskForm):
    revision = HiddenField()
    unit = SelectField(_l("Business unit"), validate_choice=False)
    category = SelectField(_l("Category"), validate_choice=False)
    kind = SelectField(
        _l("Kind"),
        choices=[
            SelectChoice("physical", _l("Something to send")),
            SelectChoice("code", _l("A voucher code")),
            SelectChoice("service", _l("A service")),
        ],
        validate_choice=False,
    )
    name_en = name_field(_l("Name in English"))
    name_zh_Hans = name_field(_l("Name in Simplified Chinese"))  # noqa: N815
    name_zh_Hant = name_field(_l("Name in Traditional Chinese"))  # noqa: N815
    description_en = description_field(_l("Description in English"))
    description_zh_Hans = description_field(_l("Description in Simplified Chinese"))  # noqa: N815
    description_zh_Hant = description_field(_l("Description in Traditional Chinese"))  # noqa: N815
    list_price = MoneyField(_l("What it costs elsewhere"))
    ways = Rows(FormField(WayRow), min_entries=3, max_entries=MOST_WAYS)
    variants = Rows(FormField(VariantRow), min_entries=1, max_entries=MOST_VARIANTS)

    def offer(self, units: Mapping[str, str], categories: Mapping[str, str]) -> None:
        """The choices there are: code → name."""
        self.unit.choices = [SelectChoice(*unit) for unit in units.items()]
        self.category.choices = [SelectChoice(*category) for category in categories.items()]

    def check(self, currency: str) -> bool:
        """Is everything right, and if not, does a sentence beside the field say what is not?"""
        fields_valid = self.validate_on_submit()
        return all(
            [
                fields_valid,
                *(chosen(self[name]) for name in ("unit", "category", "kind")),
                self._check_names(),
                reads(self.list_price, currency),
                self._check_ways(currency),
                self._check_variants(),
            ]
        )

    def _check_names(self) -> bool:
        if any(texts_of(self.data, "name").values()):
            return True
        blame(self.name_en, _("Please write the name in at least one language."))
        return False

    def _check_ways(self, currency: str) -> bool:
        rows = [row.form for row in self.ways if not row.form.empty]
        if not rows:
            blame(self.ways[0].form.points, _("A product needs at least one way to pay."), self.ways)
            return False
        for row in rows:
            row.cash.data = row.cash.data or "0"
        readings = [(reads(row.points, rows=self.ways), reads(row.cash, currency, rows=self.ways)) for row in rows]
        return all(map(all, readings)) and self._check_ways_differ(rows)

    def _check_ways_differ(self, rows: Sequence[WayRow]) -> bool:
        seen = set()
        for row in rows:
            way = row.points.number, row.cash.money
            if way in seen:
                blame(row.points, _("This way to pay is there twice."), self.ways)
                return False
            seen.add(way)
        return True

    def _check_variants(self) -> bool:
        rows = self._variant_rows
        if not rows:
            blame(self.variants[0].form.sku, _("A product needs at least one variant, with its SKU."), self.variants)
            return False
        seen: set[str] = set()
        checks = [self._check_variant(row, seen) for row in rows]  # Each row gets its sentence, not only the first.
        return all(checks)

    @property
    def _variant_rows(self) -> list[VariantRow]:
        return [row.form for row in self.variants if not row.form.empty]

    def _check_variant(self, row: VariantRow, seen: set[str]) -> bool:
        if not SKU.fullmatch(row.sku.data):
            blame(row.sku, _("A SKU is up to 60 letters, digits, points and dashes, such as TEA-250."), self.variants)
            return False
        if row.sku.data in seen:
            blame(row.sku, _("This SKU is there twice."), self.variants)
            return False
        seen.add(row.sku.data)
        if row.id.data:
            return True
        row.stock.data = row.stock.data or "0"
        return reads(row.stock, rows=self.variants)

    def blame_skus(self, skus: frozenset[str]) -> None:
        """Another product has these SKUs."""
        for row in self._variant_rows:
            if row.sku.data in skus:
                blame(row.sku, _("Another product already has this SKU."), self.variants)

    def draft(self, unit_ids: Mapping[str, int], category_ids: Mapping[str, int]) -> ProductDraft:
        """What the person wants; call it once ``check`` said yes."""
        assert self.list_price.money is not None
        return ProductDraft(
            unit_id=unit_ids[self.unit.data],
            category_id=category_ids[self.category.data],
            kind=self.kind.data,
            name=texts_of(self.data, "name"),
            description=texts_of(self.data, "description"),
            list_price=self.list_price.money,
            ways=[Way(Points(row.form.points.number), row.form.cash.money) for row in self.ways if not row.form.empty],
            variants=[_variant_draft(row) for row in self._variant_rows],
        )


def _variant_draft(row: VariantRow) -> VariantDraft:
    if row.id.data and not DIGITS.fullmatch(row.id.data):
        raise NotFound(_("One of the variants does not belong to this product."))
    return VariantDraft(
        id=int(row.id.data) if row.id.data else None,
        sku=row.sku.data,
        name=texts_of(row.data, "name"),
        stock=row.stock.number,
        active=row.active.data,
    )


def values_of(product: Product, unit: str, category: str) -> dict[str, Any]:
    """A product as the form shows it."""
    return {
        "revision": str(product.revision),
        "unit": unit,
        "category": category,
        "kind": product.kind,
        **by_language("name", product.name),
        **by_language("description", product.description),
        "list_price": str(product.worth.decimal),
        "ways": [
            {"points": str(price.points), "cash": str(Money(price.cash, product.currency).decimal)}
            for price in product.prices
        ],
        "variants": [_variant_values(variant) for variant in product.variants],
    }


def _variant_values(variant: Variant) -> dict[str, Any]:
    return {
        "id": str(variant.id),
        "sku": variant.sku,
        "stock": str(variant.stock),
        "active": variant.active,
        **by_language("name", variant.name),
    }


# --- stock, pictures, filters ---------------------------------------------------------------


class StockForm(FlaskForm):
    variant = SelectField(_l("Variant"), validate_choice=False)
    reason = SelectField(
        _l("Reason"),
        choices=[
            SelectChoice("delivery", _l("Delivery")),
            SelectChoice("correction", _l("Correction after counting")),
        ],
        validate_choice=False,
    )
    change = WholeField(_l("Pieces more or fewer"), least=-MOST_PIECES, most=MOST_PIECES)
    reference = StringField(
        _l("Note"),
        filters=[one_line],
        validators=[at_most(80), plain],
    )

    def check(self) -> bool:
        fields_valid = self.validate_on_submit()
        picked = [chosen(self.variant), chosen(self.reason)]
        return all([fields_valid, *picked, reads(self.change) and self._check_direction()])

    def _check_direction(self) -> bool:
        if self.change.number == 0:
            blame(self.change, _("Nothing would change. Please write how many pieces more or fewer."))
        elif self.reason.data == "delivery" and self.change.number < 0:
            blame(self.change, _("A delivery brings pieces. For fewer pieces choose the correction."))
        return not self.change.errors


class PicturesForm(FlaskForm):
    pictures = MultipleFileField(_l("Pictures"))


class CategoryForm(FlaskForm):
    code = StringField(
        _l("Code"),
        description=_l("Small letters, digits and hyphens. Orders and earning rules name it, so it stays for good."),
        filters=[one_line],
        validators=[at_most(32)],
    )
    name_en = name_field(_l("Name in English"))
    name_zh_Hans = name_field(_l("Name in Simplified Chinese"))  # noqa: N815
    name_zh_Hant = name_field(_l("Name in Traditional Chinese"))  # noqa: N815
    rank = WholeField(
        _l("Place"), least=0, most=9999, default="0", description=_l("Members see the smallest number first.")
    )

    def validate_rank(self, _field: Field) -> None:
        """Raises ``ValidationError`` with a sentence."""
        self.rank.read()
