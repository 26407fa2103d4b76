"""Take the purchases of a file into the books, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.money import minor_units, programme_currency
from app.foundation.sheets import LineError
from app.identity.resolving import resolve, why_not_there
from app.identity.units.queries import units_by_code
from app.loyalty.earning.actions import LiveFrom, Outcome, PurchaseReport, RecordedPurchase, record_purchases
from app.loyalty.earning.files import FilePurchase
from app.loyalty.earning.rows import Limits
from app.loyalty.purchases.queries import believed

if TYPE_CHECKING:
    from app.identity.units.models import Unit

SOURCE = "import"


@dataclass(slots=True)
class Taken:
    """What became of a batch, or of many added up. ``created`` are the refs of members who did not exist before."""

    new: int = 0
    known: int = 0
    refused: int = 0
    points: int = 0
    growth: int = 0
    amount: int = 0
    created: set[str] = field(default_factory=set)
    errors: list[LineError] = field(default_factory=list)

    def add(self, other: Taken) -> None:
        self.new += other.new
        self.known += other.known
        self.refused += other.refused
        self.points += other.points
        self.growth += other.growth
        self.amount += other.amount
        self.created |= other.created
        self.errors += other.errors


def limits(*, now: datetime) -> Limits:
    """What the programme believes of a row, by its terms."""
    terms, currency = believed(), programme_currency()
    return Limits(
        currency=currency,
        zone=clock.programme_zone(),
        latest=now + timedelta(days=terms.future_days),
        largest_line=terms.largest_line * minor_units(currency),
        largest_quantity=terms.largest_quantity,
    )


def take_in(batch: Sequence[FilePurchase], *, create_members: bool, points_live_from: LiveFrom, now: datetime) -> Taken:
    """Record a batch. What is wrong with a purchase is reported for its lines, and does not stop the others.

    Members whom nobody knows are made, to be claimed later, if ``create_members``.
    """
    taken = Taken()
    units = units_by_code()
    sound = [purchase for purchase in batch if _unit_is_open(purchase, units, taken)]
    members = resolve({purchase.head.member for purchase in sound}, create=create_members, now=now)
    taken.created |= members.created
    known = []
    for purchase in sound:
        if reason := members.unknown.get(purchase.head.member):
            _refuse(purchase, reason, taken)
        else:
            known.append(purchase)
    reports = [_report(purchase, units, members.ids) for purchase in known]
    recorded = record_purchases(reports, points_live_from=points_live_from, now=now)
    for purchase, result in zip(known, recorded, strict=True):
        _count(purchase, result, taken)
    return taken


def _unit_is_open(purchase: FilePurchase, units: Mapping[str, Unit], taken: Taken) -> bool:
    reason = why_not_there(purchase.head.unit, units)
    if reason:
        _refuse(purchase, reason, taken)
    return reason is None


def _report(purchase: FilePurchase, units: Mapping[str, Unit], member_ids: Mapping[str, int]) -> PurchaseReport:
    head = purchase.head
    return PurchaseReport(
        unit_id=units[head.unit].id,
        unit_code=head.unit,
        order_no=head.order_no,
        member_id=member_ids[head.member],
        occurred_at=head.occurred_at,
        currency=programme_currency(),
        source=SOURCE,
        lines=tuple(row.content for row in purchase.rows),
    )


def _count(purchase: FilePurchase, result: RecordedPurchase, taken: Taken) -> None:
    if result.outcome is Outcome.DIFFERENT:
        sentence = _(
            "Purchase %(number)s is on record already, but %(difference)s. It was left as it is.",
            number=purchase.head.order_no,
            difference=result.difference,
        )
        _refuse(purchase, sentence, taken)
    elif result.outcome is Outcome.KNOWN:
        taken.known += 1
    else:
        taken.new += 1
        taken.points += result.points.value
        taken.growth += result.growth.value
        taken.amount += result.report.amount


def _refuse(purchase: FilePurchase, reason: str, taken: Taken) -> None:
    taken.refused += 1
    taken.errors += [LineError(row.line, reason) for row in purchase.rows]
