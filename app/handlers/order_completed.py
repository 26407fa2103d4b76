"""An order is completed: nothing can be sent back any more, so the points of its cash part become spendable."""

from __future__ import annotations

from app.foundation.events import handles
from app.handlers.order_paid import unit_code
from app.loyalty.earning import actions as earning
from app.loyalty.tiers import actions as tiers
from app.mall.orders.events import OrderCompleted
from app.mall.orders.queries import order_by_id


@handles(OrderCompleted)
def let_the_points_come(event: OrderCompleted) -> None:
    order = order_by_id(event.order_id)
    if order.goods_paid:
        earning.mature_purchase(unit_code=unit_code(order), order_no=order.number, now=event.at)
        earning.review_milestones([order.member_id], now=event.at)
        tiers.review_upgrades([order.member_id], now=event.at)
