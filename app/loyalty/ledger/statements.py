"""A statement: transfers as lines ready to be read, for the member, the home page and the support desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from flask import current_app
from flask_babel import format_date
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.formats import points as figure
from app.foundation.languages import translated
from app.identity.units.queries import unit_names
from app.loyalty.ledger.explanations import explain, label_of
from app.loyalty.ledger.models import Transfer
from app.loyalty.ledger.periods import Period, period_of

if TYPE_CHECKING:
    from app.identity.members.models import Member


@dataclass(frozen=True, slots=True)
class Line:
    """One transfer, ready to show. ``sign`` is how the amount looks, ``why`` the sentences behind it.

    ``day`` is when it happened, ``booked`` when it was written down, where that was another day.
    """

    id: int
    title: str
    amount: str
    sign: str
    icon: str
    tone: str
    day: date
    booked: date | None
    moment: datetime
    unit: str
    balance: str | None
    badge: str | None
    why: list[str]


LOOKS = {
    "issuance": ("coin", "brand"),
    "redemption": ("gift-fill", "gold"),
    "expiry": ("clock-history", "neutral"),
    "adjustment": ("sliders", "violet"),
    "opening": ("wallet2", "info"),
}


def lines_of(transfers: Sequence[Transfer], *, units: Mapping[int, Mapping[str, str]] | None = None) -> list[Line]:
    """One line for each transfer, in the reader's language.

    ``units`` are names by unit; left out, they are read by one query. Where a unit has no name
    there, the line does not say where it happened.
    """
    if units is None:
        units = unit_names() if any(transfer.unit_id for transfer in transfers) else {}
    return [_line(each, translated(units.get(each.unit_id)) if each.unit_id else "") for each in transfers]


def _line(transfer: Transfer, unit: str) -> Line:
    icon, tone = LOOKS[transfer.account]
    pending = transfer.phase == "pending"
    zone = clock.programme_zone()
    day, booked = (clock.local_date(moment, zone) for moment in (transfer.occurred_at, transfer.recorded_at))
    return Line(
        id=transfer.id,
        title=label_of(transfer.kind),
        amount=figure(transfer.amount, sign=True),
        sign="pending" if pending else "plus" if transfer.amount > 0 else "minus",
        icon="hourglass-split" if pending else icon,
        tone=tone,
        day=day,
        booked=booked if booked != day else None,
        moment=transfer.occurred_at,
        unit=unit,
        balance=None if pending else figure(transfer.balance_after),
        badge=_waiting(transfer) if pending else None,
        why=explain(transfer.explanation),
    )


def _waiting(transfer: Transfer) -> str:
    if transfer.amount < 0:
        return _("Set aside")
    if transfer.deadline is None:
        return _("On the way")
    return _("On the way until %(day)s", day=format_date(transfer.deadline.astimezone(clock.programme_zone()), "short"))


# --- statements of account ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Statement:
    """A member's points from one day to another, both included, in the programme's timezone."""

    programme: str
    member_code: str
    member_name: str
    since: date
    until: date
    period: Period

    @property
    def file_name(self) -> str:
        return f"points-{self.since.isoformat()}-{self.until.isoformat()}"


def statement_of(member: Member, *, since: date, until: date) -> Statement:
    zone = clock.programme_zone()
    return Statement(
        programme=current_app.config["SETTINGS"].programme_name,
        member_code=member.code,
        member_name=member.label,
        since=since,
        until=until,
        period=period_of(member.id, since=clock.start_of(since, zone), until=clock.end_of(until, zone)),
    )
