"""An order is placed: where a member's first parcel goes is where the next one will be suggested to go.

After the order, in a transaction of its own: an address may complete the profile, and what that brings would be locked
against the order's own order of locks. Should it fail, no order is lost for it.
"""

from __future__ import annotations

from functools import partial

from app.foundation.database import after_commit, transaction
from app.foundation.events import handles
from app.identity.members.actions import save_address
from app.identity.members.queries import default_address, member_by_id
from app.mall.orders.events import OrderPlaced
from app.mall.orders.queries import order_by_id


@handles(OrderPlaced)
def remember_the_first_address(event: OrderPlaced) -> None:
    order = order_by_id(event.order_id)
    if order.address and default_address(order.member_id) is None:
        after_commit(partial(_remember, event))


def _remember(event: OrderPlaced) -> None:
    with transaction():
        order = order_by_id(event.order_id)
        member = member_by_id(order.member_id)
        if member is not None and order.address and default_address(member.id) is None:
            save_address(member, **order.address, now=event.at)
