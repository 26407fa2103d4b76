"""What was bought comes back: its points and its growth go, and the money counts as spent no longer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.events import publish
from app.foundation.points import Growth, Points
from app.foundation.sheets import check_text
from app.identity.units.queries import unit_by_code
from app.loyalty.earning.actions import earn_key, grow_key
from app.loyalty.earning.events import PurchasesReturned
from app.loyalty.earning.explanations import why_returned
from app.loyalty.earning.models import Purchase, PurchaseLine, PurchaseReturn
from app.loyalty.ledger import actions as ledger

LONGEST_RETURN_NO = 40  # With the longest unit and order number it fits into a business key of 160 characters.


def return_purchase(
    *, unit_code: str, order_no: str, return_no: str, amounts: Mapping[int, int] | None = None, now: datetime
) -> Points:
    """Take back what is returned of a purchase; answers how many points that was.

    ``amounts`` are minor units by position of the line; without them everything that is left. Each line gives
    back its own points in proportion, the last part the rest, so that returning line by line sums exactly. The
    same ``return_no`` told again changes nothing. Raises ``NotFound``, and ``InvalidInput`` when more
    would come back than was bought, or for a ``return_no`` that no business key can hold.
    Publishes ``PurchasesReturned``.
    """
    check_text("return_no", return_no, LONGEST_RETURN_NO)
    purchase = _lock_purchase(unit_code, order_no)
    lines, earlier = _lines(purchase), _returned(purchase)
    told = [each.points for each in earlier if each.return_no == return_no]
    if told:
        return Points(sum(told))
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
    points = Points(sum(row["points"] for row in rows))
    growth = Growth(_share(purchase.growth, purchase.amount, sum(gone.values()), sum(wanted.values())))
    why = why_returned(order_no=order_no, unit=unit_code)
    for amount, award in ((points, earn_key(unit_code, order_no)), (growth, grow_key(unit_code, order_no))):
        if amount.value:
            key = f"{award}:return:{return_no}"
            ledger.claw_back(award_key=award, amount=amount, key=key, explanation=why, now=now)
    publish(PurchasesReturned((purchase.member_id,), now))
    return points


def _lock_purchase(unit_code: str, order_no: str) -> Purchase:
    unit = unit_by_code(unit_code)
    which = sa.select(Purchase).where(Purchase.unit_id == (unit.id if unit else None), Purchase.order_no == order_no)
    purchase = db.session.scalars(lock(LockOrder.ORDER, which)).one_or_none()
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
