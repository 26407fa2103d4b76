"""An order is paid: its cash part is a purchase, whose points are on the way until the order is completed.

What points paid earns nothing. The points come with completion, when the return window is
over: who sends everything back has nothing to give back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.foundation.events import handles
from app.identity.units.queries import unit_by_id
from app.loyalty.earning import actions as earning
from app.mall.orders.events import OrderPaid
from app.mall.orders.queries import order_by_id

if TYPE_CHECKING:
    from datetime import datetime

    from app.mall.orders.models import Order

SOURCE = "mall"


@handles(OrderPaid)
def earn_from_the_cash_part(event: OrderPaid) -> None:
    order = order_by_id(event.order_id)
    if order.goods_paid:
        earning.record_purchases([_purchase(order, event.at)], now=event.at, pending=True)


def _purchase(order: Order, paid_at: datetime) -> earning.PurchaseReport:
    lines = tuple(
        earning.ReportedLine(line.category, line.sku, line.quantity, line.cash_paid)
        for line in order.lines
        if line.cash_paid
    )
    return earning.PurchaseReport(
        unit_id=order.unit_id,
        unit_code=unit_code(order),
        order_no=order.number,
        member_id=order.member_id,
        occurred_at=paid_at,
        currency=order.currency,
        source=SOURCE,
        lines=lines,
    )


def unit_code(order: Order) -> str:
    """The code of the unit that sold it."""
    unit = unit_by_id(order.unit_id)
    if unit is None:
        raise LookupError(f"Order {order.number} was sold by a unit that does not exist.")
    return unit.code
