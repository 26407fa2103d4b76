"""What an order would come to now: for the page before the order, and once more when it is placed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.foundation.errors import DomainError
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.units.queries import unit_by_id
from app.loyalty.benefits.queries import perks
from app.loyalty.earning.actions import ReportedLine
from app.loyalty.earning.queries import would_earn
from app.mall.catalog.queries import most_pieces, offers_for
from app.mall.orders.bills import Bill, Item, OffsetRule, bill, most_offset
from app.mall.orders.delivery import Delivery, DeliveryTerms, delivery_by_code
from app.mall.orders.errors import InvalidQuantity, NothingWanted, NotOffered, SeveralUnits
from app.mall.orders.rules import Figures
from app.mall.orders.terms import OrderTerms
from app.mall.payments.queries import least_cash

if TYPE_CHECKING:
    from app.mall.catalog.queries import Offer
    from app.mall.catalog.rules import Way


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many pieces of a variant, paid in one of its ways. The ids come from outside and may be nonsense."""

    variant_id: int | None
    price_id: int | None
    quantity: int | None = 1


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """``quantity`` pieces of what is on offer, paid in one of its ways."""

    offer: Offer
    price_id: int
    quantity: int

    @property
    def way(self) -> Way:
        """What this member pays for a piece."""
        return self.offer.ways[self.price_id]

    @property
    def ordinary(self) -> Way:
        """What others pay for a piece."""
        return self.offer.ordinary[self.price_id]

    @property
    def parcel(self) -> bool:
        return self.offer.kind == "physical"

    @property
    def item(self) -> Item:
        return Item(
            quantity=self.quantity,
            points=int(self.way.points),
            cash=self.way.cash.amount,
            ordinary=self.ordinary.cash.amount,
        )


@dataclass(frozen=True, slots=True)
class Quote:
    """An order of one unit as it would be now. ``delivery`` is ``None`` where nothing has to be sent."""

    lines: tuple[QuoteLine, ...]
    bill: Bill
    delivery: Delivery | None
    unit_id: int
    unit_code: str

    @property
    def figures(self) -> Figures:
        return Figures(Points(self.bill.points), self.money(self.bill.cash))

    @property
    def parcel(self) -> bool:
        """Is there something to send?"""
        return any(line.parcel for line in self.lines)

    @property
    def currency(self) -> str:
        return self.lines[0].offer.currency

    def money(self, amount: int) -> Money:
        return Money(amount, self.currency)

    @property
    def pieces(self) -> dict[int, int]:
        """How many of each variant, whatever way they are paid."""
        found: Counter[int] = Counter()
        for line in self.lines:
            found[line.offer.variant_id] += line.quantity
        return dict(found)


def quote(
    *,
    member_id: int,
    wanted: Sequence[Wanted],
    offset_points: int = 0,
    delivery: str = "",
    now: datetime,
) -> Quote:
    """At the prices of this member. ``offset_points`` are used as far as the terms let them.

    Raises ``NothingWanted``; ``NotOffered`` for what is not on sale in this way, or whose unit is closed;
    ``InvalidQuantity``, ``SeveralUnits``, and what the catalogue refuses: ``NotOnSaleYet``, ``SaleOver``,
    ``OnlyFromTier``, ``LimitReached``.
    """
    lines = _lines(member_id, wanted, now=now)
    unit_ids = {line.offer.unit_id for line in lines}
    if len(unit_ids) > 1:
        raise SeveralUnits
    unit = unit_by_id(unit_ids.pop())
    if unit is None or not unit.active:
        raise NotOffered
    items = [line.item for line in lines]
    chosen = _delivery(delivery, lines, member_id, unit.id, now=now) if any(line.parcel for line in lines) else None
    rule = offset_rule(lines[0].offer.currency)
    made = bill(items, rule=rule, offset_points=offset_points, delivery=chosen.fee if chosen else 0)
    return Quote(tuple(lines), made, chosen, unit.id, unit.code)


def _lines(member_id: int, wanted: Sequence[Wanted], *, now: datetime) -> list[QuoteLine]:
    if not wanted:
        raise NothingWanted
    most = most_pieces()
    pieces: Counter[int] = Counter()
    for each in wanted:
        if each.quantity is None or not 1 <= each.quantity <= most:
            raise InvalidQuantity(most)
        if each.variant_id is None or each.price_id is None:
            raise NotOffered
        pieces[each.variant_id] += each.quantity
    if any(count > most for count in pieces.values()):
        raise InvalidQuantity(most)
    offers = offers_for(pieces, member_id=member_id, now=now)
    return [_line(offers.get(each.variant_id or 0), each) for each in wanted]


def _line(offer: Offer | DomainError | None, each: Wanted) -> QuoteLine:
    if isinstance(offer, DomainError):
        raise offer
    if offer is None or each.price_id not in offer.ways or each.price_id is None or each.quantity is None:
        raise NotOffered
    return QuoteLine(offer, each.price_id, each.quantity)


def offset_rule(currency: str) -> OffsetRule:
    """What points are worth at the checkout, by the terms in force."""
    terms = current(OrderTerms)
    return OffsetRule(
        points=terms.offset_points,
        money=minor_units(currency),
        most_percent=terms.offset_percent,
        least_cash=max(least_cash(currency).amount, 1),
    )


def largest_offset(wanted: Quote, *, available: int) -> int:
    """How many points somebody who has ``available`` may use instead of money."""
    fee = wanted.bill.delivery
    items = [line.item for line in wanted.lines]
    return most_offset(items, rule=offset_rule(wanted.currency), available=available, delivery=fee)


def _delivery(code: str, lines: Sequence[QuoteLine], member_id: int, unit_id: int, *, now: datetime) -> Delivery:
    goods = sum(line.item.cash_sum for line in lines)
    free = perks(member_id, now).free_delivery(unit_id)
    return delivery_by_code(current(DeliveryTerms), code, goods=goods, free=free, currency=programme_currency())


def earns(wanted: Quote, *, member_id: int | None = None, at: datetime) -> Points:
    """The points that the money paid for the goods will bring this member."""
    lines = [
        ReportedLine(line.offer.category, line.offer.sku, line.quantity, share.cash)
        for line, share in zip(wanted.lines, wanted.bill.shares, strict=True)
        if share.cash
    ]
    if not lines:
        return Points(0)
    return would_earn(unit_code=wanted.unit_code, currency=wanted.currency, lines=lines, at=at, member_id=member_id)
