"""Verbs of returns: ask, approve, reject, withdraw, settle. Money and points move once, when a case is settled.

Locks: order and case → purchase → payment → stock → wallets → memberships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, events
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.errors import InvalidInput
from app.foundation.points import Points
from app.loyalty.earning import actions as earning
from app.loyalty.ledger import actions as ledger
from app.loyalty.purchases.actions import Returned, take_back
from app.mall.orders import actions as orders
from app.mall.orders.queries import is_form_key, new_number, order_by_id
from app.mall.payments import actions as payments
from app.mall.payments.queries import payments_of
from app.mall.returns import queries
from app.mall.returns.errors import (
    AlreadyOpen,
    NothingToReturn,
    NotReturnable,
    PaidBackBefore,
    ReasonMissing,
    StepRefused,
    TooMany,
    WindowOver,
)
from app.mall.returns.events import ReturnSettled
from app.mall.returns.explanations import KIND, giving_back
from app.mall.returns.models import ReturnCase, ReturnPiece, ReturnStep
from app.mall.returns.rules import ASKED, NOT_ASKED, OPEN, REASONS, STEPS

if TYPE_CHECKING:
    from app.mall.orders.models import Order

LONGEST_NOTE = ReturnCase.note.type.length
TRIES = 8

audit.describe(
    "return",
    _l("Return"),
    {
        "return.approved": _l("Return approved"),
        "return.rejected": _l("Return rejected"),
        "return.settled": _l("Return settled"),
        "return.opened": _l("Return opened by staff"),
    },
)


# --- asking ---------------------------------------------------------------------------------


def ask(
    *,
    order_id: int,
    kind: str,
    pieces: Mapping[int, int],
    reason: str,
    note: str = "",
    pictures: Sequence[str] = (),
    key: str,
    by: Actor,
    now: datetime,
) -> ReturnCase:
    """Ask to send pieces of an order back, by line; nothing moves yet. ``key`` is the form's own.

    Members ask within the window, for what was delivered to them in a parcel; staff may open a case later, too.
    Raises ``NothingToReturn``, ``TooMany``, ``NotReturnable``, ``WindowOver``, ``AlreadyOpen`` or ``InvalidInput``.
    """
    if not is_form_key(key) or kind not in ASKED or reason not in REASONS or reason in NOT_ASKED:
        raise InvalidInput(_("This form is damaged. Nothing was changed; please open the page again."))
    order = _lock_order(order_id)
    if earlier := queries.case_of_key(order.member_id, key):
        return earlier  # A double click sends two identical requests.
    check(order=order, kind=kind, pieces=pieces, by=by, now=now)
    row = {
        "key": key,
        "order_id": order.id,
        "member_id": order.member_id,
        "unit_id": order.unit_id,
        "kind": kind,
        "state": "requested",
        "reason": reason,
        "note": note.strip()[:LONGEST_NOTE],
        "pictures": list(pictures),
    }
    case = _insert(row, now=now)
    db.session.add_all(
        ReturnPiece(case_id=case.id, order_line_id=line_id, quantity=count) for line_id, count in pieces.items()
    )
    _note_step(case, by=by, now=now)
    orders.hold_open(order_id=order.id, open_=True)
    if by.kind == "staff":
        _audit(case, "return.opened", by=by, now=now)
    db.session.flush()
    return case


def check(*, order: Order, kind: str, pieces: Mapping[int, int], by: Actor, now: datetime) -> None:
    """Could this be asked for now? Raises what ``ask`` raises; for previews."""
    _check_pieces(order, pieces)
    _check_time(order, kind, by=by, now=now)
    if any(case.state in OPEN for case in queries.cases_of_order(order.id)):
        raise AlreadyOpen


def _check_pieces(order: Order, pieces: Mapping[int, int]) -> None:
    lines = {line.line_id: line for line in queries.sold_lines(order)}
    if not pieces or any(count < 1 for count in pieces.values()):
        raise NothingToReturn
    if any(line_id not in lines or count > lines[line_id].left for line_id, count in pieces.items()):
        raise TooMany


def _check_time(order: Order, kind: str, *, by: Actor, now: datetime) -> None:
    ends = queries.warranty_ends(order) if kind == "warranty" else queries.window_ends(order)
    if ends is None or order.state not in ("delivered", "completed"):
        raise NotReturnable
    if by.kind != "member":
        return
    if not order.parcel:
        raise NotReturnable
    if now >= ends or (kind != "warranty" and order.state == "completed"):
        raise WindowOver(ends)


def _insert(row: dict[str, object], *, now: datetime) -> ReturnCase:
    for _try in range(TRIES):
        row["number"] = "R" + new_number(clock.local_date(now, clock.programme_zone()))[1:]
        if inserted := insert_new(ReturnCase, [row], unless=["number"], returning=[ReturnCase.id]):
            return db.session.get_one(ReturnCase, inserted[0].id)
    raise RuntimeError("No free number for a return was found.")


# --- deciding -------------------------------------------------------------------------------


def withdraw(*, case_id: int, by: Actor, now: datetime) -> None:
    """The member keeps it after all. Raises ``StepRefused``."""
    case, _order = _locked(case_id)
    _step(case, "withdrawn", who="member", by=by, now=now)
    orders.hold_open(order_id=case.order_id, open_=False)


def approve(*, case_id: int, answer: str = "", by: Actor, now: datetime) -> None:
    """It may be sent back; it is settled when it has arrived. Audited. Raises ``StepRefused``."""
    case, _order = _locked(case_id)
    case.answer = answer.strip()
    _step(case, "approved", who="staff", by=by, now=now)
    _audit(case, "return.approved", by=by, now=now)


def reject(*, case_id: int, answer: str, by: Actor, now: datetime) -> None:
    """It is not taken back; the member reads why. Audited. Raises ``ReasonMissing`` or ``StepRefused``."""
    if not answer.strip():
        raise ReasonMissing
    case, _order = _locked(case_id)
    case.answer = answer.strip()
    _step(case, "rejected", who="staff", by=by, now=now)
    orders.hold_open(order_id=case.order_id, open_=False)
    _audit(case, "return.rejected", by=by, now=now)


# --- settling -------------------------------------------------------------------------------


def settle(*, case_id: int, back_on_shelf: bool, by: Actor, now: datetime) -> ReturnCase:
    """What was sent back is here. A return gives money and points back and takes what they earned; an exchange or a
    claim sends the same once more, for nothing. Audited.

    Spent points come back before earned ones are taken. The money is on its way once the gateway has
    been told, after the commit. Raises ``StepRefused``, ``OutOfStock`` where nothing is left to exchange for, or
    ``PaidBackBefore``.
    """
    case, order = _locked(case_id)
    _step(case, "settled", who="staff", by=by, now=now)
    orders.hold_open(order_id=order.id, open_=False)
    pieces = {piece.order_line_id: piece.quantity for piece in case.pieces}
    if case.kind == "return":
        _give_back(case, order, pieces, back_on_shelf=back_on_shelf, by=by, now=now)
    else:
        made = orders.replace(order=order, pieces=pieces, key=f"case-{case.number:0>16}", by=by, now=now)
        case.replacement_id = made.id
        if back_on_shelf:  # Under the new order's number: a member's limit counts what they keep of the first one.
            orders.restock(order=made, pieces=_by_variant(order, pieces), by=by, now=now)
    _audit(case, "return.settled", by=by, now=now)
    db.session.flush()
    events.publish(ReturnSettled(case.id, now))
    return case


def _give_back(
    case: ReturnCase, order: Order, pieces: Mapping[int, int], *, back_on_shelf: bool, by: Actor, now: datetime
) -> None:
    made = queries.outcome(order, pieces, reason=case.reason, now=now)
    unit, number = queries.unit_code(order), order.number
    bought: Returned | None = None
    if made.amounts:
        bought = take_back(unit_code=unit, order_no=number, return_no=case.number, amounts=made.amounts, now=now)
    orders.note_returned(order=order, pieces=pieces)
    if made.cash:
        payment = next((each for each in payments_of(order.id) if each.refundable >= made.cash), None)
        if payment is None:
            raise PaidBackBefore
        key = f"return:{case.number}"
        payments.refund(payment_id=payment.id, amount=made.cash, key=key, reason="return", by=by, now=now)
    if back_on_shelf:
        orders.restock(order=order, pieces=_by_variant(order, pieces), by=by, now=now)
    if made.points:
        _return_points(case, order, made.points, now=now)
    if bought is not None:
        earning.claw_back_returned(bought, unit_code=unit, order_no=number, return_no=case.number, now=now)
        case.taken_back = bought.points.value
    case.cash, case.points, case.expired = made.cash.amount, made.points.value, made.expired.value
    parts = {back.line_id: back for back in made.backs}
    for piece in case.pieces:
        piece.cash, piece.points = parts[piece.order_line_id].cash, parts[piece.order_line_id].points


def _by_variant(order: Order, pieces: Mapping[int, int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for line in order.lines:
        if line.id in pieces:
            found[line.variant_id] += pieces[line.id]
    return found


def _return_points(case: ReturnCase, order: Order, points: Points, *, now: datetime) -> None:
    caused = REASONS[case.reason]
    ledger.give_back(
        spent_key=f"order:{order.number}:redeem",
        amount=points,
        key=f"return:{case.number}:points",
        kind=KIND,
        explanation=giving_back(number=case.number, order_no=order.number, shop_caused=caused),
        shop_caused=caused,
        now=now,
    )


# --- what they share --------------------------------------------------------------------------


def _lock_order(order_id: int) -> Order:
    orders.lock_order(order_id=order_id)
    return order_by_id(order_id)


def _locked(case_id: int) -> tuple[ReturnCase, Order]:
    """The order first, then the case: so two people who decide at once do it one after the other."""
    order_id = db.session.scalars(sa.select(ReturnCase.order_id).where(ReturnCase.id == case_id)).one()
    order = _lock_order(order_id)
    case = db.session.scalars(lock(LockOrder.ORDER, sa.select(ReturnCase).where(ReturnCase.id == case_id))).one()
    return case, order


def _step(case: ReturnCase, state: str, *, who: str, by: Actor, now: datetime) -> None:
    if STEPS.get((case.state, state)) != who:
        raise StepRefused
    case.state = state
    _note_step(case, by=by, now=now)


def _note_step(case: ReturnCase, *, by: Actor, now: datetime) -> None:
    db.session.add(ReturnStep(case_id=case.id, state=case.state, at=now, by=by.label))


def _audit(case: ReturnCase, action: str, *, by: Actor, now: datetime) -> None:
    audit.record(
        action,
        subject=("return", case.number, case.number),
        by=by,
        now=now,
        after={"state": case.state, "kind": case.kind, "cash": case.cash, "points": case.points},
    )
