"""What the back office's start page shows. Domains add figures and alarms; people see what they may.

@tile(Permission.ORDER_READ, order=10)
def to_ship(now): return Tile(_("To ship"), "12", url=url_for("backoffice.orders.index"))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.foundation.permissions import Permission, allowed


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, ready to show. ``tone`` "gold" or "danger" asks for attention."""

    label: str
    value: str
    hint: str | None = None
    url: str | None = None
    icon: str | None = None
    tone: str | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars: (label, value, the value in words)."""

    title: str
    bars: Sequence[tuple[str, int, str]]
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is wrong, and somebody has to look into it before the figures. ``tone``: "danger" or "warning"."""

    title: str
    text: str
    url: str
    action: str
    tone: str = "danger"


Maker = Callable[[datetime], Tile | Chart | Alarm | None]
_makers: list[tuple[int, Permission, Maker]] = []


def tile(permission: Permission, *, order: int = 100) -> Callable[[Maker], Maker]:
    """Declare what everybody with this permission is shown. A maker that returns ``None`` shows nothing."""

    def register(maker: Maker) -> Maker:
        _makers.append((order, permission, maker))
        return maker

    return register


def shown(now: datetime) -> list[Tile | Chart | Alarm]:
    wanted = sorted((entry for entry in _makers if allowed(entry[1])), key=lambda entry: entry[0])
    return [made for _, _, maker in wanted if (made := maker(now)) is not None]
