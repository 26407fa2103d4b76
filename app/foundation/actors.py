"""Who does something: a member, one of the staff, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Actor:
    """``label`` is what an audit log or an order's history shows."""

    kind: Literal["member", "staff", "system"]
    id: int | None
    label: str


SYSTEM = Actor("system", None, "system")
