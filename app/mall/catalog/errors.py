"""Refusals of the catalogue, as sentences for the person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import moment
from app.mall.catalog.rules import Limit


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


class NotOnSaleYet(DomainError):
    """It can be had from ``opens`` on. ``reason``, here and below, is why, for places where nobody has ordered yet."""

    def __init__(self, opens: datetime) -> None:
        self.reason = _("On sale from %(moment)s", moment=moment(opens))
        super().__init__(_("This can be had from %(moment)s on. Nothing was ordered.", moment=moment(opens)))


class SaleOver(DomainError):
    def __init__(self) -> None:
        self.reason = _("The sale has ended.")
        super().__init__(_("The sale of this has ended. Nothing was ordered and no points were used."))


class OnlyFromTier(DomainError):
    """``tier`` is the name of the lowest one that may."""

    def __init__(self, tier: str) -> None:
        self.reason = _("For members from %(tier)s up", tier=tier)
        super().__init__(_("This is for members from %(tier)s up. Nothing was ordered.", tier=tier))


class LimitReached(DomainError):
    """A member may have ``left`` more pieces in the present period."""

    def __init__(self, limit: Limit, left: int) -> None:
        self.left = left
        said = limit_text(limit)
        if left:
            sentence = ngettext(
                "%(limit)s. You can have %(num)s more just now; please choose a smaller quantity.",
                "%(limit)s. You can have %(num)s more just now; please choose a smaller quantity.",
                left,
                limit=said,
            )
        else:
            sentence = _("%(limit)s, and you have had yours. Nothing was ordered.", limit=said)
        self.reason = sentence if left else _("%(limit)s, and you have had yours.", limit=said)
        super().__init__(sentence)


def limit_text(limit: Limit) -> str:
    """``At most 2 pieces per member and month``"""
    pieces = limit.pieces
    if limit.period == "day":
        return ngettext("At most %(num)s per member and day", "At most %(num)s per member and day", pieces)
    if limit.period == "week":
        return ngettext("At most %(num)s per member and week", "At most %(num)s per member and week", pieces)
    if limit.period == "month":
        return ngettext("At most %(num)s per member and month", "At most %(num)s per member and month", pieces)
    if limit.period == "year":
        return ngettext("At most %(num)s per member and year", "At most %(num)s per member and year", pieces)
    return ngettext("At most %(num)s per member", "At most %(num)s per member", pieces)


class StockCounted(InvalidInput):
    """This product's stock follows from something else, and nobody types it in."""


class HadAlready(DomainError):
    """It gives what the member has."""

    def __init__(self) -> None:
        self.reason = _("You have this already.")
        super().__init__(_("You have this already, and a second one would give you nothing. Nothing was ordered."))


class OneIsEnough(InvalidInput):
    """Several pieces give what one gives."""

    def __init__(self) -> None:
        self.reason = _("One is enough: several would give you the same once.")
        super().__init__(_("One is enough: several would give you the same once. Please order one piece only."))


class GrantNotOffered(InvalidInput):
    """There is no such thing to grant, or it is not for this unit to sell."""

    def __init__(self) -> None:
        super().__init__(_("Please choose what buyers of this product are granted: something that its unit may sell."))


class KindKept(DomainError):
    """Something hangs on the product that only its kind can have."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "What kind of product this is cannot change any more: it has stock, codes, times or open orders. "
                "Nothing was saved; make a new product instead."
            )
        )
