"""Write down what members bought. What it earns is decided elsewhere, and written down with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.foundation.database import insert_all, insert_new
from app.loyalty.purchases.models import Purchase, PurchaseLine
from app.loyalty.purchases.reports import Key, KnownPurchase, Outcome, PurchaseReport, ReportedLine, difference
from app.loyalty.purchases.returns import Returned, take_back, would_take_back

__all__ = [
    "Earned",
    "Key",
    "KnownPurchase",
    "Outcome",
    "PurchaseReport",
    "ReportedLine",
    "Returned",
    "difference",
    "take_back",
    "would_take_back",
    "write_down",
]


@dataclass(frozen=True, slots=True)
class Earned:
    """What a reported purchase earns: ``shares`` are its points per line, in their order."""

    report: PurchaseReport
    points: int
    growth: int
    shares: tuple[int, ...]
    bonuses: tuple[str, ...] = ()


def write_down(purchases: Sequence[Earned], *, now: datetime) -> set[Key]:
    """Insert the purchases whose number is not on record yet, with their lines; answers which those are."""
    rows = [
        {
            "unit_id": each.report.unit_id,
            "order_no": each.report.order_no,
            "member_id": each.report.member_id,
            "source": each.report.source,
            "currency": each.report.currency,
            "amount": each.report.amount,
            "points": each.points,
            "growth": each.growth,
            "bonuses": list(each.bonuses),
            "occurred_at": each.report.occurred_at,
            "recorded_at": now,
        }
        for each in purchases
    ]
    columns = (Purchase.unit_id, Purchase.order_no, Purchase.id)
    inserted = insert_new(Purchase, rows, unless=["unit_id", "order_no"], returning=columns)
    ids = {(row.unit_id, row.order_no): row.id for row in inserted}
    _write_lines(purchases, ids)
    return set(ids)


def _write_lines(purchases: Sequence[Earned], ids: Mapping[Key, int]) -> None:
    rows = [
        {
            "purchase_id": ids[each.report.key],
            "position": position,
            "category": line.category,
            "sku": line.sku,
            "quantity": line.quantity,
            "amount": line.amount,
            "points": share,
        }
        for each in purchases
        if each.report.key in ids
        for position, (line, share) in enumerate(zip(each.report.lines, each.shares, strict=True), start=1)
    ]
    insert_all(PurchaseLine, rows)
