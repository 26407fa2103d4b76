"""How a product is called: in a sentence, and in the audit log."""

from __future__ import annotations

from app.foundation.languages import translated
from app.mall.catalog.models import Product, Variant


def full_name(product: Product, variant: Variant) -> str:
    """``Tea towel · blue`` in the reader's language."""
    name, kind = translated(product.name), translated(variant.name)
    return f"{name} · {kind}" if kind else name


def subject_of(product: Product) -> tuple[str, object, str]:
    return "product", product.slug, translated(product.name)
