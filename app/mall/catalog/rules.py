"""What a product may be, and what a member can reach; pure, no database, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.foundation.money import Money
from app.foundation.points import Points

KINDS = ("physical", "code", "service", "course", "coupon", "draw")
GRANTING = ("course", "coupon", "draw")  # They grant something, see ``grants``, instead of being goods themselves.
STATUSES = ("draft", "listed", "archived")
PERIODS = ("day", "week", "month", "year", "ever")

MOST_POINTS = 1_000_000_000
MOST_CASH = 100_000_000_00  # Minor units; nobody sells a single piece for more.
MOST_STOCK = 1_000_000_000  # Pieces; well inside the column.
MOST_PIECES = 1_000_000  # That a person may move at once, or begin with.
MOST_PICTURES = 9
MOST_WAYS = 12
MOST_VARIANTS = 50
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 20_000
MOST_LIMIT = 10_000  # Pieces that one member may be limited to; whoever wants more wants no limit.

SKU = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,58}[A-Z0-9])?")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay for one piece: points alone, points and cash, or money alone."""

    points: Points
    cash: Money


@dataclass(frozen=True, slots=True)
class Limit:
    """No member gets more than ``pieces`` within one ``period`` of the calendar."""

    pieces: int
    period: str


@dataclass(frozen=True, slots=True)
class Window:
    """From when and until when something can be had; ``None`` is an open end. ``until`` itself is too late."""

    start: datetime | None = None
    until: datetime | None = None

    def over(self, now: datetime) -> bool:
        return self.until is not None and now >= self.until

    def opens(self, early_days: int = 0) -> datetime | None:
        """When it opens for somebody who may come so many days before everybody else."""
        return self.start - timedelta(days=early_days) if self.start else None

    def ahead(self, now: datetime, early_days: int = 0) -> bool:
        """Is it still to open?"""
        opens = self.opens(early_days)
        return opens is not None and now < opens


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDraft:
    """A variant as it should be. ``id`` names one that exists; ``stock`` counts only for a new one."""

    sku: str
    name: Mapping[str, str] = field(default_factory=dict)
    stock: int = 0
    active: bool = True
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductDraft:
    """A product as it should be. Texts are by language; at least one name is needed. ``grants``: see ``grants.py``."""

    unit_id: int
    category_id: int
    kind: str
    name: Mapping[str, str]
    list_price: Money
    ways: Sequence[Way]
    variants: Sequence[VariantDraft]
    description: Mapping[str, str] = field(default_factory=dict)
    brand_id: int | None = None
    window: Window = Window()
    tier_id: int | None = None
    limit: Limit | None = None
    grants: str = ""


def slugify(text: str) -> str:
    """``Green Tea, 250 g`` → ``green-tea-250-g``; what has no Latin letters gives an empty string."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def is_plain(text: str) -> bool:
    """Text without markup and without control characters other than line breaks and tabs."""
    return not any(char in "<>" or (unicodedata.category(char) == "Cc" and char not in "\r\n\t") for char in text)


# --- ways to pay ----------------------------------------------------------------------------


def cheapest(ways: Iterable[Way]) -> Way:
    """What a card shows first: points alone, else the way with the least cash; money alone only where that is all."""
    return min(ways, key=lambda way: (not way.points, way.cash.amount, way.points))


def easiest(ways: Iterable[Way]) -> Way:
    """The way that asks for the fewest points, but for some; money alone only where that is all."""
    return min(ways, key=lambda way: (not way.points, way.points, way.cash.amount))


def for_money(ways: Iterable[Way]) -> Way | None:
    """The way without points."""
    return min((way for way in ways if not way.points), key=lambda way: way.cash.amount, default=None)


def missing(way: Way, available: Points, quantity: int = 1) -> Points:
    """How many points a member lacks; none when there are enough."""
    if not way.points:
        return Points(0)  # A debt of points keeps nobody from paying in money.
    return Points(max(0, int(way.points) * quantity - int(available)))


def member_price(cash: Money, *, discount: int, least: Money) -> Money:
    """``cash`` with ``discount`` percent off for one piece, rounded down: the odd part of a cent is the member's.

    A discount never brings it below ``least``, which is what can still be paid; what costs less to begin with stays.
    """
    reduced = Money(cash.amount * (100 - min(max(discount, 0), 100)) // 100, cash.currency)
    return max(reduced, min(cash, least), key=lambda each: each.amount)


def sort_keys(ways: Sequence[Way], list_price: Money) -> tuple[int, int]:
    """What the mall sorts by: the fewest points that a way asks for, and the price in money.

    What is sold for money alone stands behind everything that takes points, and what
    takes points alone is priced at its worth.
    """
    points = min((int(way.points) for way in ways if way.points), default=MOST_POINTS + 1)
    money = for_money(ways)
    return points, (money.cash if money else list_price).amount


# --- periods ------------------------------------------------------------------------------


def period_start(period: str, day: date) -> date:
    """The first day of the calendar's day, week, month or year that ``day`` lies in; weeks begin on Monday."""
    return {
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
        "year": day.replace(month=1, day=1),
        "ever": date(1970, 1, 1),
    }[period]
