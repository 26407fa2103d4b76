"""Forms of the catalogue. What a person typed is kept as typed; parsed values stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    Form,
    FormField,
    HiddenField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)

from app.foundation.errors import NotFound
from app.foundation.formtools import at_most, by_language, texts_of
from app.foundation.money import Money
from app.foundation.points import Points
from app.mall.catalog.fields import (
    MomentField,
    MoneyField,
    Rows,
    WholeField,
    blame,
    chosen,
    name_field,
    readable,
    reads,
    written,
)
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.rules import (
    LONGEST_DESCRIPTION,
    MOST_LIMIT,
    MOST_PIECES,
    MOST_POINTS,
    MOST_VARIANTS,
    MOST_WAYS,
    SKU,
    Limit,
    ProductDraft,
    VariantDraft,
    Way,
    Window,
)
from app.mall.catalog.typed import DIGITS, plain_digits

# --- a product ------------------------------------------------------------------------------


def description_field(label: Any) -> TextAreaField:
    checks = [at_most(LONGEST_DESCRIPTION), readable]
    return TextAreaField(label, filters=[lambda text: (text or "").strip()], validators=checks)


class WayRow(Form):
    """``points`` alone, ``cash`` alone, or both. An empty row is no way."""

    points = WholeField(_l("Points"), least=0, most=MOST_POINTS)
    cash = MoneyField(_l("Cash"))

    @property
    def empty(self) -> bool:
        return not self.points.data and not self.cash.data


class VariantRow(Form):
    """``id`` names a variant that exists; only a new one has ``stock`` to begin with."""

    id = HiddenField()
    sku = StringField(_l("SKU"), filters=[lambda text: plain_digits(text).upper()])
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
    kind = SelectField(_l("Kind"), validate_choice=False)
    name_en = name_field(_l("Name in English"))
    name_zh_Hans = name_field(_l("Name in Simplified Chinese"))  # noqa: N815
    name_zh_Hant = name_field(_l("Name in Traditional Chinese"))  # noqa: N815
    description_en = description_field(_l("Description in English"))
    description_zh_Hans = description_field(_l("Description in Simplified Chinese"))  # noqa: N815
    description_zh_Hant = description_field(_l("Description in Traditional Chinese"))  # noqa: N815
    list_price = MoneyField(_l("What it costs elsewhere"))
    brand = SelectField(_l("Brand"), validate_choice=False)
    on_sale_from = MomentField(_l("On sale from"))
    on_sale_until = MomentField(_l("On sale until"))
    tier = SelectField(_l("Who may have it"), validate_choice=False)
    limit_pieces = WholeField(_l("Pieces per member"), least=1, most=MOST_LIMIT)
    limit_period = SelectField(
        _l("In a"),
        choices=[
            SelectChoice("month", _l("calendar month")),
            SelectChoice("week", _l("calendar week")),
            SelectChoice("day", _l("day")),
            SelectChoice("year", _l("calendar year")),
            SelectChoice("ever", _l("lifetime")),
        ],
        validate_choice=False,
    )
    ways = Rows(FormField(WayRow), min_entries=3, max_entries=MOST_WAYS)
    variants = Rows(FormField(VariantRow), min_entries=1, max_entries=MOST_VARIANTS)

    def offer(
        self,
        units: Mapping[str, str],
        categories: Mapping[str, str],
        brands: Mapping[str, str],
        tiers: Mapping[str, str],
        granting: Mapping[str, Mapping[str, str]],
    ) -> None:
        """The choices there are: code → name. ``granting`` is what can be given instead of goods, by who gives it."""
        self.unit.choices = [SelectChoice(*unit) for unit in units.items()]
        self.category.choices = [SelectChoice(*category) for category in categories.items()]
        self.brand.choices = [SelectChoice("", _("None")), *(SelectChoice(*brand) for brand in brands.items())]
        self.tier.choices = [SelectChoice("", _("Every member")), *(SelectChoice(*tier) for tier in tiers.items())]
        goods = {"physical": _("Something to send"), "code": _("A voucher code"), "service": _("A service")}
        self.kind.choices = [
            SelectChoice(kind, name, optgroup=group)
            for group, kinds in {_("Goods and services"): goods, **granting}.items()
            for kind, name in kinds.items()
        ]

    def check(self, currency: str) -> bool:
        """Is everything right, and if not, does a sentence beside the field say what is not?"""
        fields_valid = self.validate_on_submit()
        limited = bool(self.limit_pieces.data)
        return all(
            [
                fields_valid,
                *(chosen(self[name]) for name in ("unit", "category", "kind")),
                *(not self[name].data or chosen(self[name]) for name in ("brand", "tier")),
                not limited or all([reads(self.limit_pieces), chosen(self.limit_period)]),
                self._check_names(),
                reads(self.list_price, currency),
                self._check_window(),
                self._check_ways(currency),
                self._check_variants(),
            ]
        )

    def _check_names(self) -> bool:
        if any(texts_of(self.data, "name").values()):
            return True
        blame(self.name_en, _("Please write the name in at least one language."))
        return False

    def _check_window(self) -> bool:
        if not all([reads(self.on_sale_from), reads(self.on_sale_until)]):
            return False
        start, until = self.on_sale_from.moment, self.on_sale_until.moment
        if start and until and start >= until:
            blame(self.on_sale_until, _("The sale would end before it begins. Please check both moments."))
            return False
        return True

    def _check_ways(self, currency: str) -> bool:
        rows = [row.form for row in self.ways if not row.form.empty]
        if not rows:
            blame(self.ways[0].form.points, _("A product needs at least one way to pay."), self.ways)
            return False
        for row in rows:
            row.cash.data, row.points.data = row.cash.data or "0", row.points.data or "0"
        readings = [(reads(row.points, rows=self.ways), reads(row.cash, currency, rows=self.ways)) for row in rows]
        return all(map(all, readings)) and self._check_ways_differ(rows)

    def _check_ways_differ(self, rows: Sequence[WayRow]) -> bool:
        seen = set()
        for row in rows:
            way = row.points.number, row.cash.money
            if not any(way):
                blame(row.points, _("A way to pay takes points, or money, or both."), self.ways)
                return False
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

    def draft(self, ids: Mapping[str, Mapping[str, int]]) -> ProductDraft:
        """What the person wants; call it once ``check`` said yes. ``ids`` of units, categories … are by their code."""
        assert self.list_price.money is not None
        kind, _colon, grants = self.kind.data.partition(":")
        limit = Limit(self.limit_pieces.number, self.limit_period.data) if self.limit_pieces.data else None
        return ProductDraft(
            unit_id=ids["unit"][self.unit.data],
            category_id=ids["category"][self.category.data],
            brand_id=ids["brand"].get(self.brand.data),
            tier_id=ids["tier"].get(self.tier.data),
            window=Window(self.on_sale_from.moment, self.on_sale_until.moment),
            limit=limit,
            kind=kind,
            grants=grants,
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


def kind_of(kind: str, grants: str) -> str:
    """One choice tells both: ``course:brewing`` is a course, that one."""
    return f"{kind}:{grants}" if grants else kind


def values_of(product: Product, codes: Mapping[str, str]) -> dict[str, Any]:
    """A product as the form shows it; ``codes`` of its unit, category, brand and tier."""
    return {
        "revision": str(product.revision),
        **codes,
        "on_sale_from": written(product.on_sale_from),
        "on_sale_until": written(product.on_sale_until),
        "limit_pieces": str(product.limit_pieces or ""),
        "limit_period": product.limit_period or "month",
        "kind": kind_of(product.kind, product.grants),
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
