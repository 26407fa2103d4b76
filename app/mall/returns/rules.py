"""What comes back for what is sent back. Pure: lines and pieces in, money and points out.

Cash and points of a line are split in proportion to its pieces; the last pieces take the remainder, so that whatever
the order of returns, what came back and what is kept sum exactly to what was paid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NUMBER = re.compile(r"[0-9A-Z]{1,20}")
ASKED = ("return", "exchange", "warranty")  # What somebody decides about; a cancellation is settled at once.
KINDS = (*ASKED, "cancellation")
STATES = ("requested", "approved", "settled", "rejected", "withdrawn")
OPEN = ("requested", "approved")

# What is sent can be sent back, and a code that does not work is claimed. Staff know why they pay for one, or for a
# service. What a product granted is cancelled as long as it was not used.
RETURNABLE = {"return": ("physical",), "exchange": ("physical",), "warranty": ("physical", "code")}
RETURNABLE_BY_STAFF = RETURNABLE | {"return": ("physical", "code", "service")}

# Reasons, and whether the shop caused the return: then delivery is paid back, and points that have expired live on.
REASONS = {
    "defective": True,
    "wrong": True,
    "damaged": True,
    "late": True,
    "unavailable": True,
    "unwanted": False,
    "too_many": False,
    "other": False,
}

NOT_ASKED = ("unavailable",)  # What only the shop can say, of what it has not sent yet.
GIVEN_UP_FOR = ("unwanted", "too_many", "other")


def cancelling_reasons(hand: str) -> tuple[str, ...]:
    """Why somebody may cancel what has not reached them; ``hand`` is the kind of whoever does it."""
    return GIVEN_UP_FOR if hand == "member" else (*NOT_ASKED, *GIVEN_UP_FOR)


# From where to where a case can go, and by whose hand.
STEPS = {
    ("requested", "approved"): "staff",
    ("requested", "rejected"): "staff",
    ("requested", "settled"): "staff",
    ("approved", "settled"): "staff",
    ("approved", "rejected"): "staff",
    ("requested", "withdrawn"): "member",
    ("approved", "withdrawn"): "member",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """A line as far as returning is concerned: what its pieces cost together, and how many are back already.

    So many of these were ``cancelled`` before they were sent; ``reached`` are those that were sent or handed out, and
    for ``replaced`` ones its buyer has another one, which is an order of its own.
    """

    line_id: int
    quantity: int
    returned: int
    cash: int
    points: int
    kind: str = "physical"
    cancelled: int = 0
    reached: int = 0
    replaced: int = 0

    @property
    def left(self) -> int:
        return self.quantity - self.returned

    def returnable(self, kind: str, hand: str) -> int:
        """How many pieces can be sent back, exchanged or claimed by this hand."""
        may = RETURNABLE[kind] if hand == "member" else RETURNABLE_BY_STAFF[kind]
        return self.reached + self.cancelled - self.returned - self.replaced if self.kind in may else 0


@dataclass(frozen=True, slots=True)
class Back:
    """What so many pieces of a line bring back: ``cash`` in minor units."""

    line_id: int
    pieces: int
    cash: int
    points: int


def part(whole: int, *, of: int, before: int, pieces: int) -> int:
    """What ``pieces`` of ``of`` bring back of ``whole`` after ``before`` of them; all parts sum to it exactly."""
    return whole * (before + pieces) // of - whole * before // of


def back_for(line: Sold, pieces: int) -> Back:
    return Back(
        line.line_id,
        pieces,
        part(line.cash, of=line.quantity, before=line.returned, pieces=pieces),
        part(line.points, of=line.quantity, before=line.returned, pieces=pieces),
    )


def fee_comes_back(lines: Sequence[Sold], pieces: Mapping[int, int], *, kind: str, shop_caused: bool) -> bool:
    """Delivery is paid back once: when nothing was sent and nothing will be, whoever caused that.

    Or when nothing of the order is left, and the shop caused that.
    """
    parcels = [line for line in lines if line.kind == "physical"]
    if all(line.cancelled == line.quantity for line in parcels):
        return False  # It came back with the last of them.
    gone = kind == "cancellation"
    if gone and all(line.cancelled + pieces.get(line.line_id, 0) == line.quantity for line in parcels):
        return True
    return shop_caused and completes(lines, pieces)


def completes(lines: Sequence[Sold], pieces: Mapping[int, int]) -> bool:
    """Is nothing of the order left once these pieces are back?"""
    return all(line.left == pieces.get(line.line_id, 0) for line in lines)
