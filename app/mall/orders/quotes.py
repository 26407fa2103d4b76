"""What an order would come to now: for the page before the order, and once more when it is placed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.foundation.errors import DomainError
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.units.queries import unit_by_id
from app.loyalty.earning.actions import ReportedLine
from app.loyalty.earning.queries import would_earn
from app.mall.catalog import queries as catalog
from app.mall.orders.bills import Bill, Item, OffsetRule, bill, most_offset
from app.mall.orders.delivery import Delivery, DeliveryTerms, chosen_delivery, deliveries
from app.mall.orders.errors import InvalidQuantity, NothingWanted, NotOffered, SeveralUnits
from app.mall.orders.rules import Figures
from app.mall.orders.terms import OrderTerms
from app.mall.payments.queries import least_cash
from app.mall.slots.queries import BookedByItself, TimeFull, TimeMissing, slot_ahead

if TYPE_CHECKING:
    from app.loyalty.benefits.queries import Perks
    from app.mall.catalog.queries import Offer
    from app.mall.catalog.rules import Way
    from app.mall.slots.queries import Slot


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many pieces of a variant, paid in one of its ways. The ids come from outside and may be nonsense.

    ``slot_id`` is the time for which a service is booked.
    """

    variant_id: int | None
    price_id: int | None
    quantity: int | None = 1
    slot_id: int | None = None


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """``quantity`` pieces of what is on offer, paid in one of its ways."""

    offer: Offer
    price_id: int
    quantity: int
    slot: Slot | None = None

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
class Considered:
    """What of a wish can be had now, and what cannot, with the reason. Stock is not looked at.

    Of what is refused, ``timeless`` are services that can be had, only not at this time.
    """

    lines: tuple[QuoteLine, ...]
    refused: Mapping[Wanted, DomainError]
    perks: Perks
    timeless: tuple[QuoteLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """An order of one unit as it would be now. ``delivery`` is ``None`` where nothing has to be sent.

    ``priority``: is it sent before those of others?
    """

    lines: tuple[QuoteLine, ...]
    bill: Bill
    delivery: Delivery | None
    unit_id: int
    unit_code: str
    deliveries: tuple[Delivery, ...]
    rule: OffsetRule
    priority: bool
    perks: Perks

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

    def with_offset(self, points: int) -> Quote:
        """The same with so many points instead of money, as far as the terms let them."""
        return replace(self, bill=bill(self._items, rule=self.rule, offset_points=points, delivery=self.bill.delivery))

    def largest_offset(self, available: int) -> int:
        """How many points somebody who has ``available`` may use instead of money."""
        return most_offset(self._items, rule=self.rule, available=available, delivery=self.bill.delivery)

    @property
    def _items(self) -> list[Item]:
        return [line.item for line in self.lines]

    def earns(self, *, member_id: int | None = None, at: datetime) -> Points:
        """The points that the money paid for the goods will bring this member, who is the one that it was made for."""
        lines = [
            ReportedLine(line.offer.category, line.offer.sku, line.quantity, share.cash)
            for line, share in zip(self.lines, self.bill.shares, strict=True)
            if share.cash
        ]
        if not lines:
            return Points(0)
        return would_earn(
            unit_code=self.unit_code,
            currency=self.currency,
            lines=lines,
            at=at,
            member_id=member_id,
            perks=self.perks,
        )


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
    ``OnlyFromTier``, ``LimitReached``; and of services ``TimeMissing``, ``TimeGone``, ``TimeFull``, ``BookedByItself``.
    """
    considered = consider(member_id=member_id, wanted=wanted, now=now)
    for refusal in considered.refused.values():
        raise refusal
    return quote_of(considered.lines, considered.perks, offset_points=offset_points, delivery=delivery)


def consider(*, member_id: int, wanted: Sequence[Wanted], now: datetime) -> Considered:
    """Each thing that is wanted by itself. Raises ``InvalidQuantity``."""
    most = catalog.most_pieces()
    pieces: Counter[int] = Counter()
    for each in wanted:
        if each.quantity is None or not 1 <= each.quantity <= most:
            raise InvalidQuantity(most)
        if each.variant_id is not None:
            pieces[each.variant_id] += each.quantity
    if any(count > most for count in pieces.values()):
        raise InvalidQuantity(most)
    mine = catalog.perks_of(member_id, now=now)
    offers = catalog.offers_for(pieces, member_id=member_id, perks=mine, now=now) if pieces else {}
    lines: list[QuoteLine] = []
    timeless: list[QuoteLine] = []
    refused: dict[Wanted, DomainError] = {}
    for each in wanted:
        try:
            line = _line(offers.get(each.variant_id or 0), each)
        except DomainError as refusal:
            refused[each] = refusal
            continue
        try:
            lines.append(replace(line, slot=_slot(line.offer, each, now=now)))
        except DomainError as refusal:
            refused[each] = refusal
            timeless.append(line)
    return Considered(tuple(lines), refused, mine, tuple(timeless))


def _line(offer: Offer | DomainError | None, each: Wanted) -> QuoteLine:
    if isinstance(offer, DomainError):
        raise offer
    if offer is None or each.price_id not in offer.ways or each.price_id is None or each.quantity is None:
        raise NotOffered
    return QuoteLine(offer, each.price_id, each.quantity)


def _slot(offer: Offer, each: Wanted, *, now: datetime) -> Slot | None:
    """The time of a service. Raises ``TimeMissing``, ``TimeGone`` and ``TimeFull``."""
    if offer.kind != "service":
        return None
    if each.slot_id is None:
        raise TimeMissing
    slot = slot_ahead(each.slot_id, variant_id=offer.variant_id, now=now)
    if each.quantity is not None and slot.free < each.quantity:
        raise TimeFull(slot.free)
    return slot


def quote_of(lines: Sequence[QuoteLine], mine: Perks, *, offset_points: int = 0, delivery: str = "") -> Quote:
    """What these lines come to for somebody with these perks.

    Raises ``NothingWanted``, ``SeveralUnits``, ``BookedByItself``, ``NotOffered`` and ``DeliveryNotOffered``.
    """
    if not lines:
        raise NothingWanted
    if len(lines) > 1 and any(line.slot for line in lines):
        raise BookedByItself
    unit_ids = {line.offer.unit_id for line in lines}
    if len(unit_ids) > 1:
        raise SeveralUnits
    unit = unit_by_id(unit_ids.pop())
    if unit is None or not unit.active:
        raise NotOffered
    parcel = any(line.parcel for line in lines)
    ways = _deliveries(lines, mine.free_delivery(unit.id)) if parcel else ()
    chosen = chosen_delivery(ways, delivery) if ways else None
    rule = offset_rule(lines[0].offer.currency)
    made = bill(
        [line.item for line in lines], rule=rule, offset_points=offset_points, delivery=chosen.fee if chosen else 0
    )
    priority = parcel and mine.priority_delivery(unit.id)
    return Quote(tuple(lines), made, chosen, unit.id, unit.code, ways, rule, priority, mine)


def offset_rule(currency: str) -> OffsetRule:
    """What points are worth at the checkout, by the terms in force."""
    terms = current(OrderTerms)
    return OffsetRule(
        points=terms.offset_points,
        money=minor_units(currency),
        most_percent=terms.offset_percent,
        least_cash=max(least_cash(currency).amount, 1),
    )


def _deliveries(lines: Sequence[QuoteLine], free: bool) -> tuple[Delivery, ...]:
    goods = sum(line.item.cash_sum for line in lines)
    return tuple(deliveries(current(DeliveryTerms), goods=goods, free=free, currency=programme_currency()))
