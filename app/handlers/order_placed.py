"""An order is placed: where a member's first parcel goes is where the next one will be suggested to go."""

from __future__ import annotations

from app.foundation.events import handles
from app.identity.members.actions import save_address
from app.identity.members.queries import default_address, member_by_id
from app.mall.orders.events import OrderPlaced
from app.mall.orders.queries import order_by_id


@handles(OrderPlaced)
def remember_the_first_address(event: OrderPlaced) -> None:
    order = order_by_id(event.order_id)
    member = member_by_id(order.member_id)
    if member is not None and order.address and default_address(member.id) is None:
        save_address(member, **order.address, now=event.at)
