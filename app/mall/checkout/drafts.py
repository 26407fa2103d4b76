"""What a checkout page is made from: the order as it would be now, and what stands in its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.foundation.errors import DomainError
from app.foundation.languages import translated
from app.identity.units.queries import unit_by_code
from app.loyalty.benefits.queries import Perks
from app.loyalty.ledger.queries import Standing, standing
from app.mall.cart.queries import cart_of
from app.mall.cart.statements import stock_problem
from app.mall.catalog.queries import Label, labels_of
from app.mall.checkout.rules import Line
from app.mall.orders.actions import Figures
from app.mall.orders.errors import DeliveryNotOffered, NothingWanted
from app.mall.orders.queries import Quote, QuoteLine, Wanted, consider, quote_of
from app.mall.slots.queries import TimeFull, TimeGone, TimeMissing


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks for. ``seen`` is what the whole came to on the page that the person saw."""

    lines: Sequence[Line]
    unit: str = ""
    offset: int = 0
    delivery: str = ""
    seen: Figures | None = None


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A line that cannot be had as it is asked for; ``left`` pieces of it can. ``time``: is it its time that cannot?"""

    line: Line
    name: str
    why: str
    left: int = 0
    time: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """``obstacles`` are in the way of placing it. ``stays`` is what a cart holds and this order leaves there.

    ``largest`` is how many points may pay instead of money; ``refusal`` what else of the form cannot be followed.
    """

    asked: Asked
    quote: Quote
    standing: Standing
    largest: int
    obstacles: Sequence[Obstacle] = ()
    stays: Sequence[Obstacle] = ()
    refusal: DomainError | None = None

    @property
    def seen_of(self) -> Mapping[tuple[int, int], Line]:
        return {line.key: line for line in self.asked.lines}


def from_cart(*, member_id: int, unit: str, now: datetime) -> Draft:
    """What can be had now of a unit's part of the cart; the rest stays there. Raises ``NothingWanted``."""
    seller = unit_by_code(unit)
    items = cart_of(member_id)
    if seller is None or not items:
        raise NothingWanted
    wanted = [Wanted(item.variant_id, item.price_id, item.quantity) for item in items]
    considered = consider(member_id=member_id, wanted=wanted, now=now)
    mine = [line for line in considered.lines if line.offer.unit_id == seller.id]
    short = _short(mine)
    there = [line for line in mine if _line(line).key not in short]
    labels = labels_of([each.variant_id or 0 for each in considered.refused]) if considered.refused else {}
    refused = [_refused(each, why, labels) for each, why in considered.refused.items()]
    away = [
        each for each in refused if each.line.variant_id in labels and labels[each.line.variant_id].unit_id == seller.id
    ]
    return _draft(
        Asked([_line(each) for each in there], unit),
        there,
        considered.perks,
        member_id=member_id,
        stays=[*away, *short.values()],
        now=now,
    )


def draft(*, member_id: int, asked: Asked, now: datetime) -> Draft:
    """The order that a form asks for. Raises the reason where nothing of it can be had, or what ``quote_of`` raises."""
    wanted = [Wanted(line.variant_id, line.price_id, line.quantity, line.slot_id) for line in asked.lines]
    considered = consider(member_id=member_id, wanted=wanted, now=now)
    # A service whose time has gone is shown all the same, with what is in the way.
    lines = considered.lines or considered.timeless
    if not lines:
        raise next(iter(considered.refused.values()), NothingWanted())
    short = {} if lines is considered.timeless else _short(lines)
    labels = labels_of([each.variant_id or 0 for each in considered.refused]) if considered.refused else {}
    obstacles = [_refused(each, why, labels) for each, why in considered.refused.items()] + list(short.values())
    return _draft(asked, lines, considered.perks, member_id=member_id, obstacles=obstacles, now=now)


def _draft(
    asked: Asked,
    lines: Sequence[QuoteLine],
    mine: Perks,
    *,
    member_id: int,
    obstacles: Sequence[Obstacle] = (),
    stays: Sequence[Obstacle] = (),
    now: datetime,
) -> Draft:
    refusal = None
    try:
        bare = quote_of(lines, mine, delivery=asked.delivery)
    except DeliveryNotOffered as error:
        bare, refusal = quote_of(lines, mine), error
    account = standing(member_id, now=now)
    largest = 0 if account.frozen else bare.largest_offset(int(account.available))
    return Draft(asked, bare.with_offset(min(asked.offset, largest)), account, largest, obstacles, stays, refusal)


def _short(lines: Sequence[QuoteLine]) -> dict[tuple[int, int], Obstacle]:
    """The lines for which there are too few pieces, by variant and price."""
    left = {line.offer.variant_id: line.offer.stock for line in lines}
    found: dict[tuple[int, int], Obstacle] = {}
    for line in lines:
        there = left[line.offer.variant_id]
        if why := stock_problem(there, line.quantity):
            each = _line(line)
            found[each.key] = Obstacle(each, name_of(line.offer.name, line.offer.variant_name), why, there)
        left[line.offer.variant_id] = max(0, there - line.quantity)
    return found


def _line(line: QuoteLine) -> Line:
    return Line(
        line.offer.variant_id,
        line.price_id,
        line.quantity,
        int(line.way.points),
        line.way.cash.amount,
        line.slot.id if line.slot else None,
    )


def _refused(wanted: Wanted, why: DomainError, labels: Mapping[int, Label]) -> Obstacle:
    line = Line(wanted.variant_id or 0, wanted.price_id or 0, wanted.quantity or 1, slot_id=wanted.slot_id)
    label = labels.get(line.variant_id)
    name = name_of(label.name, label.variant_name) if label else ""
    left, time = getattr(why, "free", 0), isinstance(why, (TimeMissing, TimeGone, TimeFull))
    return Obstacle(line, name, str(getattr(why, "reason", why)), left, time)


def name_of(name: Mapping[str, str], variant: Mapping[str, str]) -> str:
    return " · ".join(filter(None, (translated(name), translated(variant))))
