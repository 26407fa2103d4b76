"""Put things into a cart, change how many, take them out again. A cart reserves nothing and promises no price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask_babel import ngettext

from app.foundation.database import db, insert_new
from app.foundation.errors import DomainError, InvalidInput
from app.mall.cart.models import CartLine
from app.mall.cart.queries import cart_of
from app.mall.cart.rules import MOST_LINES, Item
from app.mall.catalog.queries import most_pieces, offers_for
from app.mall.orders.errors import InvalidQuantity, NotOffered
from app.mall.slots.queries import TimeMissing, services_among

UNIQUE = ["member_id", "variant_id", "price_id"]


class CartFull(InvalidInput):
    def __init__(self, most: int = MOST_LINES) -> None:
        super().__init__(
            ngettext(
                "Your cart holds %(num)s thing at most. Please order or remove something first.",
                "Your cart holds %(num)s different things at most. Please order or remove something first.",
                most,
            )
        )


def refuse_nonsense(item: Item, *, now: datetime) -> None:
    """Raises ``NotOffered`` for what is not in the mall in this way, ``InvalidQuantity``, and ``TimeMissing`` for a
    service: it is booked for a time, on its page.

    What somebody cannot have yet may wait in a cart.
    """
    if not 1 <= item.quantity <= most_pieces():
        raise InvalidQuantity(most_pieces())
    if not _in_the_mall([item], now=now):
        raise NotOffered
    if services_among([item.variant_id]):
        raise TimeMissing


def put_in(*, member_id: int, variant_id: int, price_id: int, quantity: int, now: datetime) -> None:
    """Add so many pieces to what lies there already, up to as many as one order may hold.

    Raises ``NotOffered``, ``InvalidQuantity``, ``TimeMissing`` and ``CartFull``.
    """
    item, most = Item(variant_id, price_id, quantity), most_pieces()
    refuse_nonsense(item, now=now)
    there = cart_of(member_id)
    if len(there) >= MOST_LINES and all(each.key != item.key for each in there):
        raise CartFull
    if not _insert(member_id, item, now=now):
        more = CartLine.quantity + quantity
        _change(member_id, item.key, quantity=sa.case((more > most, most), else_=more), added_at=now)


def bring_along(*, member_id: int, items: Sequence[Item], now: datetime) -> None:
    """What a visitor had chosen, for the member whom they turned out to be. Bringing it twice changes nothing more.

    What has left the mall meanwhile, or finds no room, is left behind; of what lies there already, the larger
    quantity stays.
    """
    there = {item.key for item in cart_of(member_id)}
    # The first item was chosen last, and stands first in the member's cart as well.
    for place, item in enumerate(_in_the_mall(items, now=now)):
        if item.key not in there and len(there) >= MOST_LINES:
            continue
        if not _insert(member_id, item, now=now - timedelta(milliseconds=place)):
            larger = sa.case((CartLine.quantity < item.quantity, item.quantity), else_=CartLine.quantity)
            _change(member_id, item.key, quantity=larger)
        there.add(item.key)


def set_quantity(*, member_id: int, variant_id: int, price_id: int, quantity: int) -> None:
    """So many pieces from now on; none takes the line out, and what is not in the cart stays out.

    Raises ``InvalidQuantity``.
    """
    if quantity == 0:
        take_out(member_id=member_id, lines=[(variant_id, price_id)])
        return
    if not 1 <= quantity <= most_pieces():
        raise InvalidQuantity(most_pieces())
    _change(member_id, (variant_id, price_id), quantity=quantity)


def take_out(*, member_id: int, lines: Iterable[tuple[int, int]]) -> None:
    """Remove lines, by variant and price."""
    for key in lines:
        db.session.execute(sa.delete(CartLine).where(*_line(member_id, key)))


def _in_the_mall(items: Sequence[Item], *, now: datetime) -> list[Item]:
    offers = offers_for({item.variant_id: item.quantity for item in items}, member_id=None, now=now)
    found = [(item, offers.get(item.variant_id)) for item in items]
    return [
        item
        for item, offer in found
        if offer is not None and (isinstance(offer, DomainError) or item.price_id in offer.ways)
    ]


def _insert(member_id: int, item: Item, *, now: datetime) -> bool:
    row = {
        "member_id": member_id,
        "variant_id": item.variant_id,
        "price_id": item.price_id,
        "quantity": item.quantity,
        "added_at": now,
    }
    return bool(insert_new(CartLine, [row], unless=UNIQUE, returning=[CartLine.variant_id]))


def _change(member_id: int, key: tuple[int, int], **values: object) -> None:
    db.session.execute(
        sa.update(CartLine).where(*_line(member_id, key)).values(**values),
        execution_options={"synchronize_session": False},
    )


def _line(member_id: int, key: tuple[int, int]) -> tuple[sa.ColumnElement[bool], ...]:
    variant_id, price_id = key
    return CartLine.member_id == member_id, CartLine.variant_id == variant_id, CartLine.price_id == price_id
