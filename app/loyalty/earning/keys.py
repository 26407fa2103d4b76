"""The business keys of what a purchase brings."""

from __future__ import annotations


def earn_key(unit_code: str, order_no: str) -> str:
    """The business key of the points for a purchase."""
    return f"purchase:{unit_code}:{order_no}:earn"


def grow_key(unit_code: str, order_no: str) -> str:
    """The business key of the growth for a purchase."""
    return f"purchase:{unit_code}:{order_no}:grow"
