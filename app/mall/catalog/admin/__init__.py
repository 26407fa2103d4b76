"""The catalogue's back office. Staff see and change the products of their own units; others are not there."""

from app.mall.catalog.admin import bulk, editor, pictures, sheets, shelf  # noqa: F401 - importing hangs their pages onto it
from app.mall.catalog.admin.door import products

__all__ = ["products"]
