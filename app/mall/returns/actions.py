"""Verbs of returns: ask, approve, reject, withdraw, settle. Money and points move once, when a case is settled.

Locks: order and case → purchase → payment → stock → wallets → memberships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.foundation import events
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, db, lock
from app.mall.codes import actions as pool
from app.mall.orders import actions as orders
from app.mall.returns import queries
from app.mall.returns.cancelling import cancel
from app.mall.returns.cases import (
    LONGEST_NOTE,
    check_form,
    earlier_case,
    locked_order,
    note_by_staff,
    note_step,
    open_case,
)
from app.mall.returns.errors import (
    AlreadyOpen,
    NothingToReturn,
    NotReturnable,
    ReasonMissing,
    ReplacedBefore,
    StepRefused,
    TooMany,
    WindowOver,
)
from app.mall.returns.events import ReturnSettled
from app.mall.returns.giving_back import give_back
from app.mall.returns.models import ReturnCase
from app.mall.returns.naming import codes_meant
from app.mall.returns.rules import ASKED, NOT_ASKED, OPEN, REASONS, STEPS

if TYPE_CHECKING:
    from app.mall.orders.models import Order

__all__ = ["LONGEST_NOTE", "approve", "ask", "cancel", "check", "reject", "settle", "withdraw"]


# --- asking ---------------------------------------------------------------------------------


def ask(
    *,
    order_id: int,
    kind: str,
    pieces: Mapping[int, int],
    reason: str,
    note: str = "",
    pictures: Sequence[str] = (),
    codes: Collection[int] = (),
    key: str,
    by: Actor,
    now: datetime,
) -> ReturnCase:
    """Ask to send pieces of an order back, by line; nothing moves yet. ``key`` is the form's own.

    Members ask within the window, for what was delivered to them in a parcel; staff may open a case later, too.
    ``codes`` are the ids of those that do not work, where several of a line were looked at. Raises
    ``NothingToReturn``, ``TooMany``, ``NotReturnable``, ``WhichCodes``, ``WindowOver``, ``AlreadyOpen`` or
    ``InvalidInput``.
    """
    check_form(key, kind in ASKED and reason in REASONS and reason not in NOT_ASKED)
    order = locked_order(order_id)
    if earlier := earlier_case(order, key):
        return earlier
    check(order=order, kind=kind, pieces=pieces, codes=codes, by=by, now=now)
    facts = {"key": key, "kind": kind, "reason": reason, "note": note.strip()[:LONGEST_NOTE], "pictures": [*pictures]}
    case = open_case(order, pieces, state="requested", by=by, now=now, **facts)
    meant = codes_meant(order, pieces, codes)
    for piece in case.pieces:
        piece.codes = meant.get(piece.order_line_id, [])
    orders.hold_open(order_id=order.id, open_=True)
    if by.kind == "staff":
        note_by_staff(case, "return.opened", by=by, now=now)
    db.session.flush()
    return case


def check(
    *,
    order: Order,
    kind: str,
    pieces: Mapping[int, int],
    codes: Collection[int] = (),
    by: Actor,
    now: datetime,
) -> None:
    """Could this be asked for now? Raises what ``ask`` raises; for previews."""
    _check_pieces(order, kind, pieces, by=by)
    codes_meant(order, pieces, codes)
    _check_time(order, kind, by=by, now=now)
    if any(case.state in OPEN for case in queries.cases_of_order(order.id)):
        raise AlreadyOpen


def _check_pieces(order: Order, kind: str, pieces: Mapping[int, int], *, by: Actor) -> None:
    lines = {line.line_id: line for line in queries.sold_lines(order)}
    if not pieces or any(count < 1 for count in pieces.values()):
        raise NothingToReturn
    if any(line_id not in lines or count > lines[line_id].left for line_id, count in pieces.items()):
        raise TooMany
    for line_id, count in pieces.items():
        if (over := count - lines[line_id].returnable(kind, by.kind)) > 0:
            raise ReplacedBefore if over <= lines[line_id].replaced else NotReturnable


def _check_time(order: Order, kind: str, *, by: Actor, now: datetime) -> None:
    ends = queries.warranty_ends(order) if kind == "warranty" else queries.window_ends(order)
    if ends is None or order.state not in ("delivered", "completed"):
        raise NotReturnable
    if by.kind != "member":
        return
    if now >= ends or (kind != "warranty" and order.state == "completed"):
        raise WindowOver(ends)


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
    note_by_staff(case, "return.approved", by=by, now=now)


def reject(*, case_id: int, answer: str, by: Actor, now: datetime) -> None:
    """It is not taken back; the member reads why. Audited. Raises ``ReasonMissing`` or ``StepRefused``."""
    if not answer.strip():
        raise ReasonMissing
    case, _order = _locked(case_id)
    case.answer = answer.strip()
    _step(case, "rejected", who="staff", by=by, now=now)
    orders.hold_open(order_id=case.order_id, open_=False)
    note_by_staff(case, "return.rejected", by=by, now=now)


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
        give_back(
            case,
            order,
            pieces,
            goods=lambda: _take_in(case, order, back_on_shelf=back_on_shelf, by=by, now=now),
            by=by,
            now=now,
        )
    else:
        made = orders.replace(order=order, pieces=pieces, key=f"case-{case.number:0>16}", by=by, now=now)
        _withdraw_codes(case, order, now=now)
        case.replacement_id = made.id
        if back_on_shelf:  # Under the new order's number: a member's limit counts what they keep of the first one.
            orders.restock(order=made, pieces=_by_variant(order, pieces), by=by, now=now)
    note_by_staff(case, "return.settled", by=by, now=now)
    db.session.flush()
    events.publish(ReturnSettled(case.id, now))
    return case


def _take_in(case: ReturnCase, order: Order, *, back_on_shelf: bool, by: Actor, now: datetime) -> None:
    pieces = {piece.order_line_id: piece.quantity for piece in case.pieces}
    orders.note_returned(order=order, pieces=pieces)
    if back_on_shelf:
        orders.restock(order=order, pieces=_by_variant(order, pieces), by=by, now=now)
    _withdraw_codes(case, order, now=now)


def _by_variant(order: Order, pieces: Mapping[int, int]) -> Counter[int]:
    """What can lie on a shelf again: codes, services and grants are counted by what gives them."""
    found: Counter[int] = Counter()
    for line in order.lines:
        if line.id in pieces and line.kind == "physical":
            found[line.variant_id] += pieces[line.id]
    return found


def _withdraw_codes(case: ReturnCase, order: Order, *, now: datetime) -> None:
    """A code that came back was looked at: nobody else can have it."""
    kinds = {line.id: line.kind for line in order.lines}
    for piece in case.pieces:
        if kinds[piece.order_line_id] == "code":
            pool.withdraw_handed(order_line_id=piece.order_line_id, pieces=piece.quantity, named=piece.codes, now=now)


# --- what they share --------------------------------------------------------------------------


def _locked(case_id: int) -> tuple[ReturnCase, Order]:
    """The order first, then the case: so two people who decide at once do it one after the other."""
    order_id = db.session.scalars(sa.select(ReturnCase.order_id).where(ReturnCase.id == case_id)).one()
    order = locked_order(order_id)
    case = db.session.scalars(lock(LockOrder.ORDER, sa.select(ReturnCase).where(ReturnCase.id == case_id))).one()
    return case, order


def _step(case: ReturnCase, state: str, *, who: str, by: Actor, now: datetime) -> None:
    if STEPS.get((case.state, state)) != who:
        raise StepRefused
    case.state = state
    note_step(case, by=by, now=now)
