"""Reads of returns: cases, and what a return would bring back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from app.foundation import clock
from app.foundation.database import db
from app.foundation.listing import Part, part_of
from app.foundation.money import Money
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.units.queries import unit_by_id
from app.loyalty.benefits.queries import perks
from app.loyalty.ledger.actions import would_expire
from app.loyalty.purchases.actions import would_take_back
from app.mall.orders.queries import orders_by_ids, return_days
from app.mall.returns.models import ReturnCase, ReturnPiece
from app.mall.returns.rules import ASKED, OPEN, REASONS, Back, Sold, back_for, fee_comes_back
from app.mall.returns.terms import ReturnTerms

if TYPE_CHECKING:
    from app.mall.orders.models import Order

_WHOLE = (selectinload(ReturnCase.pieces), selectinload(ReturnCase.steps))
_AT_ONCE = (joinedload(ReturnCase.pieces), joinedload(ReturnCase.steps))  # One query for one case.


def sold_lines(order: Order) -> list[Sold]:
    instead = replaced(order)
    return [
        Sold(
            line_id=line.id,
            quantity=line.quantity,
            returned=line.returned,
            cash=line.cash_paid,
            points=line.points_paid,
            kind=line.kind,
            cancelled=line.cancelled,
            reached=line.fulfilled,
            replaced=instead[line.id],
        )
        for line in order.lines
    ]


def replaced(order: Order) -> Counter[int]:
    """For how many pieces, by line, another one was sent. One that was cancelled itself replaces nothing."""
    found: Counter[int] = Counter()
    if not any(line.fulfilled for line in order.lines):
        return found
    query = sa.select(ReturnCase.replacement_id, ReturnPiece.order_line_id, ReturnPiece.quantity).join(
        ReturnPiece, ReturnPiece.case_id == ReturnCase.id
    )
    mine = query.where(ReturnCase.order_id == order.id, ReturnCase.replacement_id.is_not(None))
    rows = db.session.execute(mine.order_by(ReturnCase.id, ReturnPiece.order_line_id)).all()
    made = orders_by_ids({row.replacement_id for row in rows}) if rows else {}
    again = [line for order_id in dict.fromkeys(row.replacement_id for row in rows) for line in made[order_id].lines]
    for row, line in zip(rows, again, strict=True):  # One for one, in the order of the lines.
        found[row.order_line_id] += row.quantity - line.cancelled
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a return brings: ``cash`` with ``delivery`` in it; of ``points`` so many come back ``expired``.

    ``taken_back`` are points that were earned and go; ``amounts`` minor units by position of the purchase's lines.
    """

    backs: tuple[Back, ...]
    cash: Money
    delivery: Money
    points: Points
    expired: Points
    taken_back: Points
    amounts: Mapping[int, int]


def outcome(order: Order, pieces: Mapping[int, int], *, kind: str, reason: str, now: datetime) -> Outcome:
    """What sending these pieces back, or cancelling them, brings; for both sides to see before anybody confirms."""
    lines = {line.line_id: line for line in sold_lines(order)}
    backs = tuple(back_for(lines[line_id], count) for line_id, count in sorted(pieces.items()))
    goods, points = sum(back.cash for back in backs), sum(back.points for back in backs)
    caused = REASONS[reason]
    back = fee_comes_back(list(lines.values()), pieces, kind=kind, shop_caused=caused)
    fee = order.delivery_fee if back else 0
    amounts = _amounts(order, backs)
    return Outcome(
        backs=backs,
        cash=Money(goods + fee, order.currency),
        delivery=Money(fee, order.currency),
        points=Points(points),
        expired=Points(_expired(order, points, now) if points and not caused else 0),
        taken_back=would_take_back(unit_code=unit_code(order), order_no=order.number, amounts=amounts)
        if amounts
        else Points(0),
        amounts=amounts,
    )


def outcome_of(case: ReturnCase, order: Order, *, now: datetime) -> Outcome | None:
    """What an open return would bring now; ``None`` where no money and no points move any more."""
    if case.kind != "return" or case.state not in OPEN:
        return None
    pieces = {piece.order_line_id: piece.quantity for piece in case.pieces}
    return outcome(order, pieces, kind=case.kind, reason=case.reason, now=now)


def _amounts(order: Order, backs: Sequence[Back]) -> dict[int, int]:
    """By position of the purchase that the order's cash part was: lines that were paid in money, in their order."""
    position, found = 0, {}
    cash_of = {back.line_id: back.cash for back in backs}
    for line in order.lines:
        if line.cash_paid:
            position += 1
            if cash_of.get(line.id):
                found[position] = cash_of[line.id]
    return found


def _expired(order: Order, points: int, now: datetime) -> int:
    return would_expire(spent_key=spent_key(order), amount=Points(points), now=now)


def spent_key(order: Order) -> str:
    """The business key under which the order's points were spent."""
    return f"order:{order.number}:redeem"


def refund_key(case: ReturnCase) -> str:
    """The business key of the money that a case gives back."""
    return f"return:{case.number}"


def unit_code(order: Order) -> str:
    unit = unit_by_id(order.unit_id)
    if unit is None:
        raise LookupError(f"Order {order.number} was sold by a unit that does not exist.")
    return unit.code


def delivered_at(order: Order) -> datetime | None:
    return next((step.at for step in order.steps if step.state == "delivered"), None)


def window_ends(order: Order) -> datetime | None:
    """Until when it can be sent back; ``None`` as long as it has not arrived."""
    at = delivered_at(order)
    return at + timedelta(days=return_days(order, at)) if at else None


def warranty_ends(order: Order) -> datetime | None:
    """Until when a claim can be made; ``None`` as long as it has not arrived."""
    at = delivered_at(order)
    if at is None:
        return None
    months = current(ReturnTerms).warranty_months + perks(order.member_id, at).extra_warranty_months(order.unit_id)
    zone = clock.programme_zone()
    return clock.end_of(clock.months_after(clock.local_date(at, zone), months), zone)


def own_case(member_id: int, number: str) -> ReturnCase | None:
    """One case of this member; somebody else's looks like none."""
    return _one(ReturnCase.member_id == member_id, ReturnCase.number == number)


def returnable(order: Order, kind: str, hand: str) -> dict[int, int]:
    """How many pieces of which line can be sent back, exchanged or claimed by this hand, as far as kinds go."""
    return _returnable(sold_lines(order), kind, hand)


def _returnable(lines: Sequence[Sold], kind: str, hand: str) -> dict[int, int]:
    counts = {line.line_id: line.returnable(kind, hand) for line in lines}
    return {line_id: count for line_id, count in counts.items() if count > 0}


def ways_back(order: Order, *, now: datetime) -> dict[str, datetime]:
    """What its member may ask for now, by kind, and until when."""
    ends = endings(order)
    if not ends:
        return {}
    lines = sold_lines(order)
    paid = order.state == "delivered" and bool(order.cash or order.points)
    possible = {"return": paid, "exchange": order.state == "delivered", "warranty": True}
    return {
        kind: ends[kind]
        for kind in ASKED
        if kind in ends and possible[kind] and now < ends[kind] and _returnable(lines, kind, "member")
    }


def endings(order: Order) -> dict[str, datetime]:
    """Until when each kind can be asked for; nothing as long as the order has not arrived."""
    window, warranty = window_ends(order), warranty_ends(order)
    if window is None or warranty is None or order.state not in ("delivered", "completed"):
        return {}
    return {"return": window, "exchange": window, "warranty": warranty}


def sent_instead(order_id: int) -> ReturnCase | None:
    """The case whose replacement this order is."""
    return db.session.scalar(sa.select(ReturnCase).where(ReturnCase.replacement_id == order_id))


def has_parcel(case: ReturnCase, order: Order) -> bool:
    """Is there anything that has to be sent? A code or a service is only looked into."""
    pieces = {piece.order_line_id for piece in case.pieces}
    return any(line.id in pieces and line.kind == "physical" for line in order.lines)


def order_of(case: ReturnCase) -> Order:
    """With its lines."""
    return orders_by_ids([case.order_id])[case.order_id]


def orders_of_cases(cases: Sequence[ReturnCase]) -> dict[int, Order]:
    return orders_by_ids({case.order_id for case in cases})


def waiting(*, units: Collection[int] | None) -> dict[str, int]:
    """How many cases are open in each state."""
    query = sa.select(ReturnCase.state, sa.func.count()).where(ReturnCase.state.in_(OPEN), *_within(units))
    return dict(db.session.execute(query.group_by(ReturnCase.state)).all())


def cases_of(member_id: int, *, after: str | None = None, limit: int = 20) -> Part[ReturnCase]:
    """A member's cases, newest first."""
    query = sa.select(ReturnCase).where(ReturnCase.member_id == member_id)
    return part_of(query.options(*_WHOLE), keys=[ReturnCase.id], after=after, limit=limit)


def case_of_key(member_id: int, key: str) -> ReturnCase | None:
    return db.session.scalar(sa.select(ReturnCase).where(ReturnCase.member_id == member_id, ReturnCase.key == key))


def cases_of_order(order_id: int) -> list[ReturnCase]:
    which = sa.select(ReturnCase).where(ReturnCase.order_id == order_id).order_by(ReturnCase.id)
    return list(db.session.scalars(which.options(*_WHOLE)))


def office_case(number: str, *, units: Collection[int] | None) -> ReturnCase | None:
    """One case among those of ``units`` (``None``: all)."""
    return _one(ReturnCase.number == number, *_within(units))


def _one(*which: sa.ColumnElement[bool]) -> ReturnCase | None:
    return db.session.scalars(sa.select(ReturnCase).where(*which).options(*_AT_ONCE)).unique().one_or_none()


def office_cases(
    *, units: Collection[int] | None, states: Collection[str] = (), after: str | None = None, limit: int = 50
) -> Part[ReturnCase]:
    """Those of ``units``, newest first."""
    query = sa.select(ReturnCase).where(*_within(units))
    if states:
        query = query.where(ReturnCase.state.in_(states))
    return part_of(query.options(*_WHOLE), keys=[ReturnCase.id], after=after, limit=limit)


def _within(units: Collection[int] | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if units is None else (ReturnCase.unit_id.in_(units),)
