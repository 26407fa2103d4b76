"""Pure calculations of the ledger: when lots expire and how a debit is spread over them."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation.clock import end_of, first_of_month, local_date, months_after
from app.foundation.errors import InvalidInput

POLICIES = {
    "months": _l("Some months after earning, at the month's end"),
    "yearly": _l("Once a year, on a fixed day"),
    "inactivity": _l("Some months after the last purchase or redemption"),
    "never": _l("Never"),
}
LONGEST_LIFE = 120  # In months.
ONE_DAY = timedelta(days=1)


def month_end(day: date, months: int) -> date:
    """The last day of the month ``months`` after ``day``'s: 31 January + 1 is 28 or 29 February."""
    return first_of_month(day, months + 1) - ONE_DAY


def yearly(day: date, month: int, day_of_month: int) -> date:
    """The first ``month``/``day_of_month`` on or after ``day``; the 31st of a short month is its last day."""
    for year in (day.year, day.year + 1):
        candidate = date(year, month, min(day_of_month, monthrange(year, month)[1]))
        if candidate >= day:
            return candidate
    raise AssertionError("a year later is always later")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiryPolicy:
    """When points stop living. Raises ``InvalidInput`` for a policy that makes no sense.

    ``months``: at the end of the month so many ``months`` after earning; ``yearly``: on the next ``day`` of
    ``month``; ``inactivity``: so many ``months`` after the last purchase or redemption, to the day; ``never``.
    """

    kind: str = "months"
    months: int = 12
    month: int = 12
    day: int = 31

    def __post_init__(self) -> None:
        if self.kind not in POLICIES:
            raise InvalidInput(_("Points can expire after months, once a year, after inactivity, or never."))
        if not 1 <= self.months <= LONGEST_LIFE:
            raise InvalidInput(_("Points can live between 1 and %(most)s months.", most=LONGEST_LIFE))
        if not (1 <= self.month <= 12 and 1 <= self.day <= 31):
            raise InvalidInput(_("The yearly expiry needs a day of the calendar."))

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> ExpiryPolicy:
        """Read what ``data()`` gave. Raises ``InvalidInput``."""
        if unknown := set(data) - {"kind", "months", "month", "day"}:
            raise InvalidInput(_("An expiry has no “%(name)s”.", name=min(unknown)))
        if any(type(value) is not (str if name == "kind" else int) for name, value in data.items()):
            raise InvalidInput(_("The figures of an expiry are whole numbers."))
        return cls(**data)

    def data(self) -> dict[str, Any]:
        """The policy as JSON, with what matters for its kind only."""
        matters = {"months": ("months",), "inactivity": ("months",), "yearly": ("month", "day"), "never": ()}
        return {"kind": self.kind} | {name: getattr(self, name) for name in matters[self.kind]}

    @property
    def idle_months(self) -> int | None:
        """After how many months without activity a lot dies; ``None`` where activity does not matter."""
        return self.months if self.kind == "inactivity" else None

    def expires_at(self, since: datetime, zone: ZoneInfo) -> datetime | None:
        """The moment at which points earned (or last prolonged) at ``since`` stop living; ``None`` if they never do.

        The expiry day itself still counts, to 24:00 in the programme's timezone, so this is
        the first moment of the day after it.
        """
        day = local_date(since, zone)
        if self.kind == "months":
            return end_of(month_end(day, self.months), zone)
        if self.kind == "yearly":
            return end_of(yearly(day, self.month, self.day), zone)
        if self.kind == "inactivity":
            return idle_until(since, self.months, zone)
        return None


def idle_until(active_at: datetime, months: int, zone: ZoneInfo) -> datetime:
    """When points die that live for ``months`` after the last activity."""
    return end_of(months_after(local_date(active_at, zone), months), zone)


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
