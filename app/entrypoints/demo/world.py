"""What the chapters of the demo share: the group, its colleagues, its members and its goods."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from app.entrypoints.demo.content import PersonSheet
from app.entrypoints.demo.diary import Diary
from app.foundation.actors import Actor


@dataclass(frozen=True, slots=True)
class Goods:
    """One variant at one of its prices. ``cash`` in minor units; ``since`` is when it came into the mall."""

    sku: str
    way: int
    variant_id: int
    price_id: int
    points: int
    cash: int
    kind: str
    unit: str
    since: datetime


@dataclass(slots=True)
class Living:
    """A member and how they live. ``id`` is known once they have joined."""

    sheet: PersonSheet
    habit: str
    number: int
    joins: datetime
    id: int = 0

    @property
    def actor(self) -> Actor:
        return Actor("member", self.id, self.sheet.name)


@dataclass(slots=True)
class World:
    diary: Diary
    random: Random
    locale: str
    currency: str
    units: dict[str, int] = field(default_factory=dict)
    colleagues: dict[str, Actor] = field(default_factory=dict)
    shops_of_merchant: frozenset[str] = frozenset()
    goods: list[Goods] = field(default_factory=list)
    members: list[Living] = field(default_factory=list)

    def fulfiller(self, unit: str) -> Actor:
        """Who packs and serves in this unit: its merchant, else the owner."""
        return self.colleagues["merchant" if unit in self.shops_of_merchant else "owner"]
