"""What was bought comes back: its points and its growth go, and the money counts as spent no longer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.foundation.events import publish
from app.foundation.points import Points
from app.loyalty.earning.explanations import why_returned
from app.loyalty.earning.keys import earn_key, grow_key
from app.loyalty.ledger import actions as ledger
from app.loyalty.purchases.actions import Returned, take_back
from app.loyalty.purchases.events import PurchasesReturned


def return_purchase(
    *, unit_code: str, order_no: str, return_no: str, amounts: Mapping[int, int] | None = None, now: datetime
) -> Points:
    """Take back what is returned of a purchase; answers how many points that was.

    ``amounts`` are minor units by position of the line; without them everything that is left. The same
    ``return_no`` told again changes nothing. Raises as ``take_back``. Publishes ``PurchasesReturned``.
    """
    back = take_back(unit_code=unit_code, order_no=order_no, return_no=return_no, amounts=amounts, now=now)
    claw_back_returned(back, unit_code=unit_code, order_no=order_no, return_no=return_no, now=now)
    return back.points


def claw_back_returned(back: Returned, *, unit_code: str, order_no: str, return_no: str, now: datetime) -> None:
    """The second half, for who has something to do between: the purchase is locked first, wallets last.

    A return of goods gives spent points back in between. Publishes ``PurchasesReturned``.
    """
    if not back.fresh:
        return
    why = why_returned(order_no=order_no, unit=unit_code)
    for amount, award in ((back.points, earn_key(unit_code, order_no)), (back.growth, grow_key(unit_code, order_no))):
        if amount.value:
            key = f"{award}:return:{return_no}"
            ledger.claw_back(award_key=award, amount=amount, key=key, explanation=why, now=now)
    publish(PurchasesReturned((back.member_id,), now))
