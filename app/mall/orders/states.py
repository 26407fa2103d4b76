"""The life of an order, as one table.

::

    placed ─▶ paid ─▶ packed ─▶ (part_shipped ─▶) shipped ─▶ delivered ─▶ completed
       │        │       │                                       ▲
       │        ├─ without a parcel ────────────────────────────┘
       │        │ ◀─────┘ all that was to be sent was given up: there is no parcel any more
       │        └─▶ cancelled: nothing of it reached its buyer
       ├─▶ cancelled
       └─▶ closed
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.actors import Actor
from app.foundation.errors import DomainError

Who = Literal["member", "merchant", "system"]


@dataclass(frozen=True, slots=True)
class Transition:
    """``parcel`` narrows it to orders with (``True``) or without (``False``) something to send."""

    before: str
    after: str
    who: Who
    parcel: bool | None = None


TRANSITIONS = frozenset(
    {
        Transition("placed", "paid", "system"),
        Transition("placed", "cancelled", "member"),
        Transition("placed", "cancelled", "merchant"),
        Transition("placed", "closed", "system"),
        Transition("paid", "cancelled", "member"),
        Transition("paid", "cancelled", "merchant"),
        Transition("paid", "cancelled", "system"),
        Transition("paid", "packed", "merchant", parcel=True),
        Transition("packed", "paid", "merchant", parcel=False),
        Transition("packed", "part_shipped", "merchant", parcel=True),
        Transition("packed", "shipped", "merchant", parcel=True),
        Transition("part_shipped", "shipped", "merchant", parcel=True),
        Transition("shipped", "delivered", "member", parcel=True),
        Transition("shipped", "delivered", "system", parcel=True),
        Transition("paid", "delivered", "member", parcel=False),
        Transition("paid", "delivered", "merchant", parcel=False),
        Transition("paid", "delivered", "system", parcel=False),
        Transition("delivered", "completed", "system"),
    }
)

# Paid, and not yet all on its way or handed over.
OPEN = ("paid", "packed", "part_shipped")
# What the progress of an order shows, in this order.
WITH_PARCEL = ("placed", "paid", "packed", "shipped", "delivered", "completed")
WITHOUT_PARCEL = ("placed", "paid", "delivered", "completed")
ENDED = ("cancelled", "closed")

LABELS = {
    "placed": _l("To pay"),
    "paid": _l("Paid"),
    "packed": _l("Packed"),
    "part_shipped": _l("Partly shipped"),
    "shipped": _l("Shipped"),
    "delivered": _l("Received"),
    "completed": _l("Completed"),
    "cancelled": _l("Cancelled"),
    "closed": _l("Closed"),
}


class StepRefused(DomainError):
    """An order cannot go this way from where it is, or not by this hand."""


def may(before: str, after: str, *, who: Who, parcel: bool) -> bool:
    """Is this step in the table?"""
    return any(Transition(before, after, who, wanted) in TRANSITIONS for wanted in (None, parcel))


def check(before: str, after: str, *, who: Who, parcel: bool) -> None:
    """Refuse every step that is not in the table. Raises ``StepRefused`` with a sentence."""
    if not may(before, after, who=who, parcel=parcel):
        raise StepRefused(_refusal(before, after))


def _refusal(before: str, after: str) -> str:
    if before == after:
        return _("This was already done. Nothing was changed.")
    if after == "cancelled" and before not in ENDED:
        return _("This order is already being packed and can no longer be cancelled here. Nothing was changed.")
    if before in ENDED:
        return _("This order has ended. Nothing was changed.")
    return _(
        "This order is “%(now)s” and cannot become “%(wanted)s”. Nothing was changed; reload to see where it stands.",
        now=LABELS[before],
        wanted=LABELS[after],
    )


def hand_of(by: Actor) -> Who:
    """By whose hand somebody acts."""
    hands: dict[str, Who] = {"member": "member", "staff": "merchant"}
    return hands.get(by.kind, "system")
