"""Money and points of pieces go back, in the order of the locks: purchase → payment → stock → wallets → memberships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from app.foundation.actors import Actor
from app.foundation.points import Points
from app.loyalty.earning import actions as earning
from app.loyalty.ledger import actions as ledger
from app.loyalty.purchases.actions import Returned, take_back
from app.mall.payments import actions as payments
from app.mall.payments.queries import payments_of
from app.mall.returns import queries
from app.mall.returns.errors import PaidBackBefore
from app.mall.returns.explanations import KINDS, giving_back
from app.mall.returns.models import ReturnCase
from app.mall.returns.rules import REASONS

if TYPE_CHECKING:
    from app.foundation.money import Money
    from app.mall.orders.models import Order


def give_back(
    case: ReturnCase,
    order: Order,
    pieces: Mapping[int, int],
    *,
    goods: Callable[[], None],
    by: Actor,
    now: datetime,
) -> None:
    """Give back what was paid for these pieces, take what they earned, and write both down on the case.

    ``goods`` says what becomes of the pieces themselves. Spent points come back before earned ones are taken: a member
    never owes points that the same return brings. The caller has locked the order. Raises ``PaidBackBefore``.
    """
    made = queries.outcome(order, pieces, kind=case.kind, reason=case.reason, now=now)
    unit, number = queries.unit_code(order), order.number
    bought: Returned | None = None
    if made.amounts:
        bought = take_back(unit_code=unit, order_no=number, return_no=case.number, amounts=made.amounts, now=now)
    if made.cash:
        _refund(case, order, made.cash, by=by, now=now)
    goods()
    if made.points:
        _return_points(case, order, made.points, now=now)
    if bought is not None:
        earning.claw_back_returned(bought, unit_code=unit, order_no=number, return_no=case.number, now=now)
        case.taken_back = bought.points.value
    case.cash, case.points, case.expired = made.cash.amount, made.points.value, made.expired.value
    parts = {back.line_id: back for back in made.backs}
    for piece in case.pieces:
        piece.cash, piece.points = parts[piece.order_line_id].cash, parts[piece.order_line_id].points


def _refund(case: ReturnCase, order: Order, cash: Money, *, by: Actor, now: datetime) -> None:
    """The gateway is told after the commit."""
    payment = next((each for each in payments_of(order.id) if each.refundable >= cash), None)
    if payment is None:
        raise PaidBackBefore
    key = queries.refund_key(case)
    payments.refund(payment_id=payment.id, amount=cash, key=key, reason="return", by=by, now=now)


def _return_points(case: ReturnCase, order: Order, points: Points, *, now: datetime) -> None:
    caused = REASONS[case.reason]
    ledger.give_back(
        spent_key=queries.spent_key(order),
        amount=points,
        key=f"return:{case.number}:points",
        kind=KINDS[case.kind],
        explanation=giving_back(case.kind, number=case.number, order_no=order.number, shop_caused=caused),
        shop_caused=caused,
        now=now,
    )
