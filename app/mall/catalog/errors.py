"""Refusals of the catalogue, as sentences for the person."""

from __future__ import annotations

from collections.abc import Collection

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.errors import DomainError, InvalidInput


class OutOfStock(DomainError):
    """``left`` pieces of ``product`` are there, fewer than wanted."""

    def __init__(self, product: str, left: int) -> None:
        self.product, self.left = product, left
        if left:
            sentence = ngettext(
                "Only %(num)s piece of %(product)s is left. Please choose a smaller quantity.",
                "Only %(num)s pieces of %(product)s are left. Please choose a smaller quantity.",
                left,
                product=product,
            )
        else:
            sentence = _("%(product)s is sold out just now.", product=product)
        super().__init__(sentence)


class ProductChanged(DomainError):
    """Somebody else saved the product since this form was opened."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Somebody else saved this product while you were editing. Nothing was overwritten, and your "
                "changes are still below: compare them with the saved product, then save again to replace it."
            )
        )


class SkuTaken(InvalidInput):
    """``skus`` belong to other products."""

    def __init__(self, skus: Collection[str]) -> None:
        self.skus = frozenset(skus)
        super().__init__(_("Another product already has the SKU %(skus)s.", skus=", ".join(sorted(self.skus))))
