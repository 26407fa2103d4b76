"""Purchases as other systems tell of them, and what became of the telling. Plain values, no database."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class ReportedLine:
    """``amount`` is for the whole line, not per piece, in minor units."""

    category: str
    sku: str
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class PurchaseReport:
    """A purchase as its source tells it. ``order_no`` is the source's own; within a unit it is the business key."""

    unit_id: int
    unit_code: str
    order_no: str
    member_id: int
    occurred_at: datetime
    currency: str
    source: str
    lines: tuple[ReportedLine, ...]

    @property
    def key(self) -> Key:
        return self.unit_id, self.order_no

    @property
    def amount(self) -> int:
        return sum(line.amount for line in self.lines)


class Outcome(enum.StrEnum):
    NEW = "new"
    KNOWN = "known"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class KnownPurchase:
    """A purchase as it stands on record."""

    member_id: int
    occurred_at: datetime
    currency: str
    points: int
    growth: int
    lines: tuple[ReportedLine, ...]


def difference(report: PurchaseReport, known: KnownPurchase) -> str:
    """Say what the report tells differently from what is on record; empty when it tells the same."""
    if report.member_id != known.member_id:
        return _("it belongs to another member")
    if report.currency != known.currency:
        return _("its currency is %(currency)s", currency=known.currency)
    if report.occurred_at != known.occurred_at:
        return _("it took place at %(moment)s", moment=known.occurred_at.isoformat())
    # The order of the lines is no content: a till may print them in any.
    if sorted(map(_plain, report.lines)) != sorted(map(_plain, known.lines)):
        return _("its lines or amounts differ")
    return ""


def _plain(line: ReportedLine) -> tuple[str, str, int, int]:
    return line.category, line.sku, line.quantity, line.amount
