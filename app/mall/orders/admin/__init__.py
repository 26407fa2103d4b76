"""Orders in the back office. Staff see the orders of their units; merchants pack, ship and hand out."""

from app.mall.orders.admin import bulk, listing, order, papers  # noqa: F401 - importing hangs their pages onto it
from app.mall.orders.admin.door import orders

__all__ = ["orders"]
