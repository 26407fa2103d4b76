"""What a product may be, and what a member can reach; pure, no database, no clock."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.foundation.money import Money
from app.foundation.points import Points

KINDS = ("physical", "code", "service")
STATUSES = ("draft", "listed", "archived")

MOST_POINTS = 1_000_000_000
MOST_CASH = 100_000_000_00  # Minor units; nobody sells a single piece for more.
MOST_STOCK = 1_000_000_000  # Pieces; well inside the column.
MOST_PICTURES = 9
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 20_000
LONGEST_SEARCH = 60

SKU = re.compile(r"[A-Z0-9](?:[A-Z0-9._-]{0,58}[A-Z0-9])?")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to pay for one piece: points alone, or points and cash."""

    points: Points
    cash: Money


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
    """A product as it should be. Texts are by language; at least one name is needed."""

    unit_id: int
    category_id: int
    kind: str
    name: Mapping[str, str]
    list_price: Money
    ways: Sequence[Way]
    variants: Sequence[VariantDraft]
    description: Mapping[str, str] = field(default_factory=dict)


def fold(text: str) -> str:
    """``ＴＥＡ`` and ``tea`` are the same word for a search."""
    return unicodedata.normalize("NFKC", text).casefold()


def search_text(names: Iterable[Mapping[str, str]], skus: Iterable[str]) -> str:
    """Everything a product may be found by, folded, one per line."""
    words = [text for texts in names for text in texts.values() if text]
    return fold("\n".join([*words, *skus]))


def search_words(query: str) -> list[str]:
    """The words that all must occur. Control characters, which no product has, count as spaces."""
    readable = "".join(" " if unicodedata.category(char) == "Cc" else char for char in query[:LONGEST_SEARCH])
    return fold(readable).split()


def slugify(text: str) -> str:
    """``Green Tea, 250 g`` → ``green-tea-250-g``; what has no Latin letters gives an empty string."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")


def is_plain(text: str) -> bool:
    """Text without markup and without control characters other than line breaks and tabs."""
    return not any(char in "<>" or (unicodedata.category(char) == "Cc" and char not in "\r\n\t") for char in text)


def cheapest(ways: Sequence[Way]) -> Way:
    """The way with the least cash, and among those with the fewest points: what a card shows first."""
    return min(ways, key=lambda way: (way.cash.amount, way.points))


def easiest(ways: Sequence[Way]) -> Way:
    """The way that asks for the fewest points."""
    return min(ways, key=lambda way: (way.points, way.cash.amount))


def missing(way: Way, available: Points, quantity: int = 1) -> Points:
    """How many points a member lacks; none when there are enough."""
    return Points(max(0, int(way.points) * quantity - int(available)))
