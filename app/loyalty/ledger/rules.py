"""Pure calculations of the ledger: when lots expire and how a debit is spread over them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from app.foundation.clock import end_of, local_date
from app.loyalty.ledger.terms import LedgerTerms


def month_end(day: date, months: int) -> date:
    """The last day of the month ``months`` after ``day``'s: 31 January + 1 is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, monthrange(year, month)[1])


def yearly(day: date, month: int, day_of_month: int) -> date:
    """The first ``month``/``day_of_month`` on or after ``day``; the 31st of a short month is its last day."""
    for year in (day.year, day.year + 1):
        candidate = date(year, month, min(day_of_month, monthrange(year, month)[1]))
        if candidate >= day:
            return candidate
    raise AssertionError("a year later is always later")


def expires_at(earned_at: datetime, terms: LedgerTerms, zone: ZoneInfo) -> datetime | None:
    """The moment at which points earned at ``earned_at`` stop living; ``None`` if they never do.

    The expiry day itself still counts, to 24:00 in the programme's timezone, so this is
    the first moment of the day after it.
    """
    day = local_date(earned_at, zone)
    if terms.expiry == "months":
        return end_of(month_end(day, terms.expiry_months), zone)
    if terms.expiry == "yearly":
        return end_of(yearly(day, terms.expiry_month, terms.expiry_day), zone)
    return None


@dataclass(frozen=True, slots=True)
class Part:
    """So much of one lot."""

    lot_id: int
    amount: int


def spread(amount: int, lots: Iterable[tuple[int, int]]) -> list[Part]:
    """Take ``amount`` from ``(lot id, free)`` pairs in this order. Raises ``ValueError`` when they do not suffice."""
    parts, missing = [], amount
    for lot_id, free in lots:
        if missing == 0:
            break
        taken = min(free, missing)
        if taken > 0:
            parts.append(Part(lot_id, taken))
            missing -= taken
    if missing:
        raise ValueError(f"The lots are {missing} short.")
    return parts


def last_parts(parts: Sequence[Part], *, skip: int, take: int) -> list[Part]:
    """``take`` points from the end of ``parts``, after leaving out the last ``skip``; in the parts' own order.

    Giving back starts with what was drawn last, so that the points that live longest come home first.
    """
    found: list[Part] = []
    for part in reversed(parts):
        free = part.amount - min(skip, part.amount)
        skip -= part.amount - free
        taken = min(free, take)
        if taken:
            found.append(Part(part.lot_id, taken))
            take -= taken
    if take:
        raise ValueError(f"The parts are {take} short.")
    return found[::-1]


def without(parts: Sequence[Part], amount: int) -> tuple[list[Part], int]:
    """``parts`` less ``amount`` from the front, and how much of ``amount`` they did not cover."""
    left = []
    for part in parts:
        used = min(amount, part.amount)
        amount -= used
        if used < part.amount:
            left.append(Part(part.lot_id, part.amount - used))
    return left, amount
