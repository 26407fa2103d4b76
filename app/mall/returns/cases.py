"""A case from its first row to its last step: what asking, deciding and cancelling share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput
from app.mall.orders import actions as orders
from app.mall.orders.queries import is_form_key, new_number, order_by_id
from app.mall.returns import queries
from app.mall.returns.models import ReturnCase, ReturnPiece, ReturnStep

if TYPE_CHECKING:
    from app.mall.orders.models import Order

LONGEST_NOTE = ReturnCase.note.type.length
LONGEST_ANSWER = ReturnCase.answer.type.length
TRIES = 8

audit.describe(
    "return",
    _l("Return"),
    {
        "return.approved": _l("Return approved"),
        "return.rejected": _l("Return rejected"),
        "return.settled": _l("Return settled"),
        "return.opened": _l("Return opened by staff"),
        "return.cancelled": _l("Cancelled by staff before it was sent"),
    },
)


def check_form(key: str, known: bool) -> None:
    """Raises ``InvalidInput`` for what no form of ours sends."""
    if not (known and is_form_key(key)):
        raise InvalidInput(_("This form is damaged. Nothing was changed; please open the page again."))


def locked_order(order_id: int) -> Order:
    """The order's row is locked before anything of it is looked at."""
    orders.lock_order(order_id=order_id)
    return order_by_id(order_id)


def earlier_case(order: Order, key: str) -> ReturnCase | None:
    """What the same form made before: a double click sends two identical requests."""
    return queries.case_of_key(order.member_id, key)


def open_case(
    order: Order, pieces: Mapping[int, int], *, state: str, by: Actor, now: datetime, **facts: Any
) -> ReturnCase:
    """A new case of these pieces by line, in its first state."""
    row = {
        "order_id": order.id,
        "member_id": order.member_id,
        "unit_id": order.unit_id,
        "state": state,
        "note": "",
        "answer": "",
        "pictures": [],
        **facts,
    }
    case = _insert(row, now=now)
    db.session.add_all(
        ReturnPiece(case_id=case.id, order_line_id=line_id, quantity=count) for line_id, count in pieces.items()
    )
    note_step(case, by=by, now=now)
    db.session.flush()
    return case


def _insert(row: dict[str, object], *, now: datetime) -> ReturnCase:
    for _try in range(TRIES):
        row["number"] = "R" + new_number(clock.local_date(now, clock.programme_zone()))[1:]
        if inserted := insert_new(ReturnCase, [row], unless=["number"], returning=[ReturnCase.id]):
            return db.session.get_one(ReturnCase, inserted[0].id)
    raise RuntimeError("No free number for a return was found.")


def note_step(case: ReturnCase, *, by: Actor, now: datetime) -> None:
    db.session.add(ReturnStep(case_id=case.id, state=case.state, at=now, by=by.label))


def note_by_staff(case: ReturnCase, action: str, *, by: Actor, now: datetime) -> None:
    """Into the audit log: what a colleague did, and what it came to."""
    audit.record(
        action,
        subject=("return", case.number, case.number),
        by=by,
        now=now,
        after={"state": case.state, "kind": case.kind, "cash": case.cash, "points": case.points},
    )
