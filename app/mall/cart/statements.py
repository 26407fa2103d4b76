"""A cart as plain values: lines by shop, what each costs now, and what cannot be had just now and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.errors import DomainError
from app.foundation.formats import money, points
from app.foundation.languages import translated
from app.foundation.money import Money, programme_currency
from app.identity.units.queries import all_units
from app.mall.cart.rules import Item
from app.mall.catalog.queries import Label, Offer, labels_of, most_pieces, offers_for
from app.mall.catalog.statements import full, picture_of
from app.mall.slots.queries import TimeMissing

if TYPE_CHECKING:
    from app.identity.units.models import Unit
    from app.mall.catalog.rules import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``problem`` says why it cannot be had just now; then there is no price. ``before`` is what others pay.

    ``url`` is ``None`` where the mall shows it no more. ``booked``: is it a service, whose time is chosen on its page?
    """

    key: str
    name: str
    meta: str
    url: str | None
    picture: str
    quantity: int
    most: int
    price: str | None
    price_meta: str | None
    before: str | None
    each: str | None
    problem: str | None
    booked: bool
    update_url: str
    removal_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What comes from one unit, and is ordered together. ``checkout_url`` is ``None`` where nothing can be had."""

    code: str
    name: str
    lines: list[Line]
    pieces: str
    price: str
    price_meta: str | None
    before: str | None
    left_out: str | None
    checkout_url: str | None


@dataclass(frozen=True, slots=True)
class _Found:
    """An item and what the catalogue knows of it now."""

    item: Item
    label: Label
    offer: Offer | None
    problem: str | None

    @property
    def way(self) -> Way | None:
        return self.offer.ways[self.item.price_id] if self.offer and not self.problem else None

    @property
    def ordinary(self) -> Way | None:
        return self.offer.ordinary[self.item.price_id] if self.offer and not self.problem else None


def shops_of(items: Sequence[Item], *, member_id: int | None, now: datetime) -> list[Shop]:
    """The cart by shop, the one with what was put in last first."""
    quantities: dict[int, int] = {}
    for item in items:
        quantities[item.variant_id] = quantities.get(item.variant_id, 0) + item.quantity
    offers = offers_for(quantities, member_id=member_id, now=now) if items else {}
    gone = [item.variant_id for item in items if not isinstance(offers.get(item.variant_id), Offer)]
    labels, units = labels_of(gone) if gone else {}, {unit.id: unit for unit in all_units()}
    found: dict[int, list[_Found]] = {}
    for item in items:
        offer = offers.get(item.variant_id)
        label = _label(offer) if isinstance(offer, Offer) else labels.get(item.variant_id)
        if label is not None:  # A cookie may name what a database never had.
            here = _looked_at(item, offer, label, units[label.unit_id], quantities[item.variant_id])
            found.setdefault(label.unit_id, []).append(here)
    return [_shop(units[unit_id], here) for unit_id, here in found.items()]


def _label(offer: Offer) -> Label:
    return Label(offer.name, offer.variant_name, offer.picture, offer.slug, offer.unit_id)


def _looked_at(item: Item, offer: Offer | DomainError | None, label: Label, unit: Unit, wanted: int) -> _Found:
    if isinstance(offer, DomainError):
        return _Found(item, label, None, getattr(offer, "reason", str(offer)))
    if offer is None or not unit.active:
        return _Found(item, label, None, _("This is no longer offered."))
    if item.price_id not in offer.ways:
        return _Found(item, label, offer, _("This way to pay is no longer offered. Please choose another one."))
    if offer.kind == "service":
        return _Found(item, label, offer, TimeMissing().reason)
    return _Found(item, label, offer, stock_problem(offer.stock, wanted))


def stock_problem(stock: int, wanted: int) -> str | None:
    """Why so many pieces cannot be had, if they cannot."""
    if stock >= wanted:
        return None
    if not stock:
        return _("This is sold out just now.")
    return ngettext("Only %(num)s piece is left.", "Only %(num)s pieces are left.", stock)


def _shop(unit: Unit, found: Sequence[_Found]) -> Shop:
    there = [each for each in found if each.way]
    price, price_meta, before = _sum(there)
    out = len(found) - len(there)
    return Shop(
        code=unit.code,
        name=translated(unit.name),
        lines=[_line(each) for each in found],
        pieces=_pieces(sum(each.item.quantity for each in there)),
        price=price,
        price_meta=price_meta,
        before=before,
        left_out=_left_out(out) if out and there else None,
        checkout_url=url_for("portal.checkout.new", unit=unit.code) if there else None,
    )


def _pieces(count: int) -> str:
    return ngettext("%(num)s piece", "%(num)s pieces", count)


def _left_out(count: int) -> str:
    return ngettext(
        "%(num)s thing cannot be had just now and stays in your cart.",
        "%(num)s things cannot be had just now and stay in your cart.",
        count,
    )


def _sum(there: Sequence[_Found]) -> tuple[str, str | None, str | None]:
    """Points, cash as a second line, and the cash that others would pay."""
    currency = programme_currency()
    points_, cash, ordinary = 0, 0, 0
    for each in there:
        if each.way and each.ordinary:
            points_ += int(each.way.points) * each.item.quantity
            cash += each.way.cash.amount * each.item.quantity
            ordinary += each.ordinary.cash.amount * each.item.quantity
    return *price_in_lines(points_, Money(cash, currency)), money(
        Money(ordinary, currency)
    ) if ordinary > cash else None


def price_in_lines(points_: int, cash: Money) -> tuple[str, str | None]:
    if not points_:
        return money(cash), None
    return _("%(points)s points", points=points(points_)), f"+ {money(cash)}" if cash else None


def _line(found: _Found) -> Line:
    item, label, way, ordinary = found.item, found.label, found.way, found.ordinary
    price, price_meta = (
        price_in_lines(int(way.points) * item.quantity, way.cash * item.quantity) if way else (None, None)
    )
    return Line(
        key=f"{item.variant_id}-{item.price_id}",
        name=translated(label.name),
        meta=translated(label.variant_name),
        url=url_for("portal.mall.show", slug=label.slug) if label.slug else None,
        picture=picture_of(label.picture),
        quantity=item.quantity,
        most=most_pieces(),
        price=price,
        price_meta=price_meta,
        before=money(ordinary.cash * item.quantity) if way and ordinary and ordinary.cash > way.cash else None,
        each=_("%(price)s each", price=full(way)) if way and item.quantity > 1 else None,
        problem=found.problem,
        booked=found.offer is not None and found.offer.kind == "service",
        update_url=url_for("portal.cart.update", variant=item.variant_id, price=item.price_id),
        removal_url=url_for("portal.cart.destroy", variant=item.variant_id, price=item.price_id),
    )
