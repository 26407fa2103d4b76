"""Cancelling 取消 what was paid and has not reached its buyer: nobody decides, and everything goes back at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.foundation import events
from app.foundation.actors import Actor
from app.foundation.database import db
from app.mall.orders import actions as orders
from app.mall.returns.cases import (
    LONGEST_ANSWER,
    LONGEST_NOTE,
    check_form,
    earlier_case,
    locked_order,
    note_by_staff,
    open_case,
)
from app.mall.returns.events import ReturnSettled
from app.mall.returns.giveable import check_giveable, giveable
from app.mall.returns.giving_back import give_back
from app.mall.returns.models import ReturnCase
from app.mall.returns.rules import cancelling_reasons


def cancel(
    *,
    order_id: int,
    pieces: Mapping[int, int] | None = None,
    reason: str,
    note: str = "",
    key: str,
    by: Actor,
    now: datetime,
) -> ReturnCase:
    """Give up pieces of a paid order, by line, or (``None``) all that can still be given up, and settle that at once.

    They are for sale again, the order moves on, and money, points and what they earned go where they came from. The
    delivery fee comes back when nothing was sent and nothing will be. ``key`` is the form's own: the same one again
    gives the same case. What staff do is audited; their ``note`` is what the member reads.
    Raises ``NothingChosen``, ``NothingToGiveUp``, ``BeingPacked``, ``WindowOver``, ``AlreadyOpen``,
    ``NotToBeGivenUp``, ``PaidBackBefore`` or ``InvalidInput``. What is not paid is cancelled by ``orders.cancel``.
    """
    check_form(key, reason in cancelling_reasons(by.kind))
    order = locked_order(order_id)
    if earlier := earlier_case(order, key):
        return earlier
    given_up = giveable(order, by=by, now=now) if pieces is None else dict(pieces)
    check_giveable(order, given_up, by=by, now=now)
    said = {"note": note.strip()[:LONGEST_NOTE]} if by.kind == "member" else {"answer": note.strip()[:LONGEST_ANSWER]}
    facts = {"kind": "cancellation", "reason": reason, "key": key, **said}
    case = open_case(order, given_up, state="settled", by=by, now=now, **facts)
    give_back(
        case,
        order,
        given_up,
        goods=lambda: orders.give_up(order=order, pieces=given_up, by=by, now=now),
        by=by,
        now=now,
    )
    if by.kind == "staff":
        note_by_staff(case, "return.cancelled", by=by, now=now)
    db.session.flush()
    events.publish(ReturnSettled(case.id, now))
    return case
