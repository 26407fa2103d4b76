"""What an order would come to now: for the page before the order, and once more when it is placed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.foundation.points import Points
from app.identity.units.queries import unit_by_id
from app.loyalty.earning.actions import ReportedLine
from app.loyalty.earning.queries import would_earn
from app.mall.catalog.queries import most_pieces, offer_for
from app.mall.orders.errors import InvalidQuantity, NotOffered
from app.mall.orders.rules import Figures

if TYPE_CHECKING:
    from app.mall.catalog.queries import Offer
    from app.mall.catalog.rules import Way


@dataclass(frozen=True, slots=True)
class Quote:
    """``quantity`` pieces of what is on offer, paid in one of its ways."""

    offer: Offer
    price_id: int
    quantity: int

    @property
    def way(self) -> Way:
        return self.offer.ways[self.price_id]

    @property
    def figures(self) -> Figures:
        return Figures(self.way.points * self.quantity, self.way.cash * self.quantity)

    @property
    def parcel(self) -> bool:
        """Is there something to send?"""
        return self.offer.kind == "physical"


def quote(
    *, member_id: int, variant_id: int | None, price_id: int | None, quantity: int | None, now: datetime
) -> Quote:
    """At the prices of this member. Raises ``NotOffered`` for what is not on sale in this way, or whose unit is closed,
    ``InvalidQuantity``, and what the catalogue refuses: ``NotOnSaleYet``, ``SaleOver``, ``OnlyFromTier``,
    ``LimitReached``.
    """
    if quantity is None or not 1 <= quantity <= most_pieces():
        raise InvalidQuantity(most_pieces())
    offer = offer_for(variant_id, member_id=member_id, quantity=quantity, now=now) if variant_id is not None else None
    if offer is None or price_id is None or price_id not in offer.ways:
        raise NotOffered
    unit = unit_by_id(offer.unit_id)
    if unit is None or not unit.active:
        raise NotOffered
    return Quote(offer, price_id, quantity)


def earns(wanted: Quote, *, at: datetime) -> Points:
    """The points that the cash part will bring."""
    offer, cash = wanted.offer, wanted.figures.cash
    unit = unit_by_id(offer.unit_id)
    line = ReportedLine(offer.category, offer.sku, wanted.quantity, cash.amount)
    return would_earn(unit_code=unit.code if unit else "", currency=cash.currency, lines=[line], at=at)
