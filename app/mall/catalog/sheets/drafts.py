"""A product there is, or its values, as a draft to be changed and saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.config import LOCALES
from app.mall.catalog.models import Product, Variant
from app.mall.catalog.rules import ProductDraft, VariantDraft, Window
from app.mall.catalog.sheets.columns import values_of


def draft_of(product: Product) -> ProductDraft:
    return product_draft(values_of(product), map(variant_draft, product.variants))


def variant_draft(variant: Variant) -> VariantDraft:
    return VariantDraft(id=variant.id, sku=variant.sku, name=variant.name, active=variant.active)


def names_in(values: Mapping[str, Any], what: str) -> dict[str, str]:
    return {locale: values[f"{what}_{locale}"] or "" for locale in LOCALES}


def product_draft(values: Mapping[str, Any], variants: Iterable[VariantDraft]) -> ProductDraft:
    """``values`` by the columns of a sheet."""
    return ProductDraft(
        unit_id=values["unit"],
        category_id=values["category"],
        brand_id=values["brand"],
        kind=values["kind"],
        grants=values["grants"] or "",
        name=names_in(values, "name"),
        description=names_in(values, "description"),
        list_price=values["list_price"],
        ways=values["ways_to_pay"],
        window=Window(values["on_sale_from"], values["on_sale_until"]),
        tier_id=values["tier"],
        limit=values["limit"],
        variants=list(variants),
    )
