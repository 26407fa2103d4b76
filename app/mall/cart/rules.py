"""What a cart holds, whoever it belongs to; pure."""

from __future__ import annotations

from dataclasses import dataclass

MOST_LINES = 50


@dataclass(frozen=True, slots=True)
class Item:
    """So many pieces of a variant, to be paid in one way. Both ids may be of things that are gone by now."""

    variant_id: int
    price_id: int
    quantity: int

    @property
    def key(self) -> tuple[int, int]:
        return self.variant_id, self.price_id


def together(items: list[Item], more: Item, *, most: int) -> list[Item]:
    """The items with ``more`` put in: on top of what lies there in the same way, else as the first."""
    there = next((item for item in items if item.key == more.key), None)
    if there is None:
        return [more, *items]
    sum_ = Item(more.variant_id, more.price_id, min(there.quantity + more.quantity, most))
    return [sum_ if item is there else item for item in items]
