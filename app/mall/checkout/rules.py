"""What a checkout form says it wants, and what the person saw when they pressed the button; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

MOST_LINES = 50
WHOLE = re.compile(r"[0-9]{1,15}")
_LINE = re.compile(r"([0-9]{1,15})-([0-9]{1,15})-([0-9]{1,15})(?:-([0-9]{1,15})-([0-9]{1,15}))?(?:@([0-9]{1,15}))?")


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of a variant in one way; ``points`` and ``cash`` of a piece are what the person saw.

    ``slot_id`` is the time for which a service is booked.
    """

    variant_id: int
    price_id: int
    quantity: int
    points: int | None = None
    cash: int | None = None
    slot_id: int | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.variant_id, self.price_id

    def __str__(self) -> str:
        """As the form carries it."""
        seen = "" if self.points is None else f"-{self.points}-{self.cash}"
        at = "" if self.slot_id is None else f"@{self.slot_id}"
        return f"{self.variant_id}-{self.price_id}-{self.quantity}{seen}{at}"


def whole(text: str | None) -> int | None:
    """A whole number from outside; ``None`` for anything else."""
    return int(text) if text and WHOLE.fullmatch(text) else None


def line_of(text: str) -> Line | None:
    """What ``str`` wrote; ``None`` for anything else."""
    found = _LINE.fullmatch(text)
    return Line(*(None if part is None else int(part) for part in found.groups())) if found else None  # type: ignore[arg-type]


def lines_of(texts: Collection[str]) -> list[Line] | None:
    """All of them, or ``None`` where one makes no sense, one stands there twice, or there are none or too many."""
    lines = [line_of(text) for text in texts]
    if not 0 < len(lines) <= MOST_LINES or None in lines:
        return None
    found = [line for line in lines if line is not None]
    return found if len({line.key for line in found}) == len(found) else None


def changed(lines: Sequence[Line], change: Line | None) -> list[Line]:
    """The lines with another quantity of one of them; none takes it out."""
    if change is None:
        return list(lines)
    new = [replace(line, quantity=change.quantity) if line.key == change.key else line for line in lines]
    return [line for line in new if line.quantity]


def step_of(most: int) -> int:
    """How far a slider over so many points moves at once: a round number, so that it takes at most fifty steps."""
    step = 1
    while step * 50 < most:
        step *= 5 if str(step).startswith("1") else 2
    return step
