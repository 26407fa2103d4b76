"""What was bought comes back: how much of each line, and how many of its points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.points import Growth, Points
from app.foundation.sheets import check_text
from app.identity.units.queries import unit_by_code
from app.loyalty.purchases.models import Purchase, PurchaseLine, PurchaseReturn

LONGEST_RETURN_NO = 40  # With the longest unit and order number it fits into a business key of 160 characters.


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back of a purchase, in points and growth. ``fresh`` is false when it was told before."""

    member_id: int
    points: Points
    growth: Growth
    fresh: bool


def take_back(
    *, unit_code: str, order_no: str, return_no: str, amounts: Mapping[int, int] | None = None, now: datetime
) -> Returned:
    """Write down what is returned of a purchase, whose row is locked.

    ``amounts`` are minor units by position of the line; without them everything that is left. Each line gives
    back its own points in proportion, the last part the rest, so that returning line by line sums exactly. The
    same ``return_no`` told again changes nothing. Raises ``NotFound``, and ``InvalidInput`` when more
    would come back than was bought, or for a ``return_no`` that no business key can hold.
    """
    check_text("return_no", return_no, LONGEST_RETURN_NO)
    purchase = _lock_purchase(unit_code, order_no)
    lines, earlier = _lines(purchase), _returned(purchase)
    told = [each.points for each in earlier if each.return_no == return_no]
    if told:
        return Returned(purchase.member_id, Points(sum(told)), Growth(0), fresh=False)
    gone = {position: sum(e.amount for e in earlier if e.position == position) for position in lines}
    left = {position: line.amount - gone[position] for position, line in lines.items()}
    wanted = _wanted(purchase, amounts, left=left)
    rows: list[dict[str, Any]] = [
        {
            "member_id": purchase.member_id,
            "purchase_id": purchase.id,
            "return_no": return_no,
            "position": position,
            "amount": amount,
            "points": _share(lines[position].points, lines[position].amount, gone[position], amount),
            "returned_at": now,
        }
        for position, amount in sorted(wanted.items())
    ]
    insert_new(PurchaseReturn, rows, unless=["purchase_id", "return_no", "position"], returning=[PurchaseReturn.id])
    growth = _share(purchase.growth, purchase.amount, sum(gone.values()), sum(wanted.values()))
    return Returned(purchase.member_id, Points(sum(row["points"] for row in rows)), Growth(growth), fresh=True)


def would_take_back(*, unit_code: str, order_no: str, amounts: Mapping[int, int]) -> Points:
    """The points that would go with so many minor units of each line, by position. Raises ``NotFound``."""
    purchase = _purchase(unit_code, order_no)
    if purchase is None:
        raise NotFound(_("There is no purchase %(number)s on record.", number=order_no))
    lines, earlier = _lines(purchase), _returned(purchase)
    gone = {position: sum(e.amount for e in earlier if e.position == position) for position in lines}
    return Points(
        sum(
            _share(lines[position].points, lines[position].amount, gone[position], amount)
            for position, amount in amounts.items()
            if amount
        )
    )


def _purchase(unit_code: str, order_no: str) -> Purchase | None:
    return db.session.scalar(_which(unit_code, order_no))


def _which(unit_code: str, order_no: str) -> sa.Select[Purchase]:
    unit = unit_by_code(unit_code)
    return sa.select(Purchase).where(Purchase.unit_id == (unit.id if unit else None), Purchase.order_no == order_no)


def _lock_purchase(unit_code: str, order_no: str) -> Purchase:
    purchase = db.session.scalars(lock(LockOrder.ORDER, _which(unit_code, order_no))).one_or_none()
    if purchase is None:
        raise NotFound(_("There is no purchase %(number)s on record.", number=order_no))
    return purchase


def _wanted(purchase: Purchase, amounts: Mapping[int, int] | None, *, left: Mapping[int, int]) -> dict[int, int]:
    """What comes back, by position. Raises ``InvalidInput`` where that is nothing, or more than there is ``left``."""
    wanted = {position: amount for position, amount in (left if amounts is None else amounts).items() if amount}
    if not wanted or any(not 0 < amount <= left.get(position, 0) for position, amount in wanted.items()):
        raise InvalidInput(_("Of purchase %(number)s there is not that much left to return.", number=purchase.order_no))
    return wanted


def _lines(purchase: Purchase) -> dict[int, PurchaseLine]:
    lines = db.session.scalars(sa.select(PurchaseLine).where(PurchaseLine.purchase_id == purchase.id))
    return {line.position: line for line in lines}


def _returned(purchase: Purchase) -> list[PurchaseReturn]:
    return list(db.session.scalars(sa.select(PurchaseReturn).where(PurchaseReturn.purchase_id == purchase.id)))


def _share(earned: int, of: int, before: int, back: int) -> int:
    """What goes with ``back`` of ``of`` after ``before``; the roundings of all parts sum exactly."""
    return earned * (before + back) // of - earned * before // of
