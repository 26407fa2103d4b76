"""What the pages share: their blueprint, and the orders that a colleague may see."""

from __future__ import annotations

from collections.abc import Collection

from flask import Blueprint, abort

from app.identity.session import current_staff
from app.identity.staff.queries import unit_scope
from app.mall.orders import queries
from app.mall.orders.models import Order
from app.mall.orders.rules import is_number

orders = Blueprint("orders", __name__, url_prefix="/orders")
MOST_AT_ONCE = 100  # Orders that are printed or packed together: two pages of the list.


def scope() -> Collection[int] | None:
    return unit_scope(current_staff())


def order_or_404(number: str) -> Order:
    """An order of this colleague's units; others are not there."""
    order = queries.office_order(number, units=scope()) if is_number(number) else None
    return order or abort(404)


def chosen(numbers: Collection[str]) -> list[str]:
    """What may be numbers of orders, each once, and not too many."""
    return [number for number in dict.fromkeys(numbers) if is_number(number)][:MOST_AT_ONCE]
