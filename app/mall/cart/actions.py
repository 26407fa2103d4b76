"""Put things into a cart, change how many, take them out again. A cart reserves nothing and promises no price."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from flask_babel import ngettext

from app.foundation.database import db, insert_new
from app.foundation.errors import DomainError, InvalidInput
from app.mall.cart.models import CartLine
from app.mall.cart.queries import cart_of
from app.mall.catalog.queries import most_pieces, offers_for
from app.mall.orders.errors import InvalidQuantity, NotOffered

MOST_LINES = 50


class CartFull(InvalidInput):
    def __init__(self) -> None:
        super().__init__(
            ngettext(
                "Your cart holds %(num)s thing at most. Please order or remove something first.",
                "Your cart holds %(num)s different things at most. Please order or remove something first.",
                MOST_LINES,
            )
        )


def put_in(*, member_id: int, variant_id: int, price_id: int, quantity: int, now: datetime) -> None:
    """Add so many pieces to what lies there already, up to as many as one order may hold.

    Raises ``NotOffered`` for what is not in the mall in this way, ``InvalidQuantity`` and ``CartFull``. What this
    member cannot have yet may wait in the cart.
    """
    most = most_pieces()
    if not 1 <= quantity <= most:
        raise InvalidQuantity(most)
    offer = offers_for({variant_id: 1}, member_id=member_id, now=now).get(variant_id)
    if offer is None or (not isinstance(offer, DomainError) and price_id not in offer.ways):
        raise NotOffered
    there = cart_of(member_id)
    if len(there) >= MOST_LINES and not any(
        (each.variant_id, each.price_id) == (variant_id, price_id) for each in there
    ):
        raise CartFull
    row = {
        "member_id": member_id,
        "variant_id": variant_id,
        "price_id": price_id,
        "quantity": quantity,
        "added_at": now,
    }
    unique = ["member_id", "variant_id", "price_id"]
    if not insert_new(CartLine, [row], unless=unique, returning=[CartLine.variant_id]):
        more = CartLine.quantity + quantity
        _change(member_id, variant_id, price_id, quantity=sa.case((more > most, most), else_=more), added_at=now)


def set_quantity(*, member_id: int, variant_id: int, price_id: int, quantity: int) -> None:
    """So many pieces from now on; none takes the line out, and what is not in the cart stays out.

    Raises ``InvalidQuantity``.
    """
    if quantity == 0:
        take_out(member_id=member_id, lines=[(variant_id, price_id)])
        return
    if not 1 <= quantity <= most_pieces():
        raise InvalidQuantity(most_pieces())
    _change(member_id, variant_id, price_id, quantity=quantity)


def take_out(*, member_id: int, lines: Iterable[tuple[int, int]]) -> None:
    """Remove lines, by variant and price."""
    for variant_id, price_id in lines:
        db.session.execute(sa.delete(CartLine).where(*_line(member_id, variant_id, price_id)))


def _change(member_id: int, variant_id: int, price_id: int, **values: object) -> None:
    db.session.execute(
        sa.update(CartLine).where(*_line(member_id, variant_id, price_id)).values(**values),
        execution_options={"synchronize_session": False},
    )


def _line(member_id: int, variant_id: int, price_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return CartLine.member_id == member_id, CartLine.variant_id == variant_id, CartLine.price_id == price_id
