"""Whether a member can have a product just now, and if not, why not and from when on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from app.foundation.errors import DomainError
from app.foundation.languages import translated
from app.loyalty.tiers.queries import ladder
from app.mall.catalog.errors import NotOnSaleYet, OnlyFromTier, SaleOver
from app.mall.catalog.models import Product
from app.mall.catalog.perks import Perks

if TYPE_CHECKING:
    from app.loyalty.tiers.models import Tier


@dataclass(frozen=True, slots=True)
class Access:
    """``opens`` is when this member may have it, ``public`` when everybody may; ``tier`` is the lowest one that may.

    Whoever has exclusive products by a tag or by hand may have what is for a tier, too.
    """

    state: Literal["open", "ahead", "over", "tier"]
    opens: datetime | None = None
    public: datetime | None = None
    until: datetime | None = None
    tier: Tier | None = None

    @property
    def open(self) -> bool:
        return self.state == "open"

    @property
    def early(self) -> bool:
        """Does a perk let this member in before everybody else?"""
        return self.opens != self.public

    def refuse(self) -> None:
        """Raises what keeps the member from it, if anything does."""
        refusal: DomainError | None = None
        if self.state == "tier" and self.tier:
            refusal = OnlyFromTier(translated(self.tier.name))
        elif self.state == "ahead" and self.opens:
            refusal = NotOnSaleYet(self.opens)
        elif self.state == "over":
            refusal = SaleOver()
        if refusal:
            raise refusal


def tiers_named(products: Iterable[Product]) -> Mapping[int, Tier]:
    """The tiers that these products ask for, by id: one query, and none where no product asks for any."""
    if all(product.tier_id is None for product in products):
        return {}
    return {tier.id: tier for tier in ladder()}


def access(product: Product, perks: Perks, tiers: Mapping[int, Tier], *, now: datetime) -> Access:
    """How things stand between a product and whoever has these perks."""
    early, window = perks.early_access_days(product.unit_id), product.window
    tier = tiers.get(product.tier_id) if product.tier_id else None
    state: Literal["open", "ahead", "over", "tier"] = "open"
    if window.over(now):
        state = "over"
    elif tier and perks.tier_rank < tier.rank and not perks.opens_tiers(product.unit_id):
        state = "tier"
    elif window.ahead(now, early):
        state = "ahead"
    return Access(state, window.opens(early), window.start, window.until, tier)
