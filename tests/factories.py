"""Short ways to the things a test needs. Keyword arguments, sensible defaults, no surprises."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.identity.members.models import Member
from app.loyalty.earning.actions import PurchaseReport, ReportedLine, record_purchases
from app.loyalty.ledger import actions as ledger
from tests.conftest import NOON

_numbers = itertools.count(1)


def make_member(*, name: str = "Alice Lin", at: datetime = NOON, points: int = 0, **fields: Any) -> int:
    """A member with open wallets, and ``points`` as an opening balance. Returns the id."""
    number = next(_numbers)
    with transaction():
        member = Member(code=f"T{number:07}", name=name, created_at=at, **fields)
        db.session.add(member)
        db.session.flush()
        ledger.open_wallets(member_ids=[member.id])
        if points:
            give_points(member.id, points, key=f"test:opening:{number}", at=at)
        return member.id


def give_points(member_id: int, points: int, *, key: str, at: datetime = NOON, **fields: Any) -> ledger.Posting:
    """An award inside an open transaction."""
    return ledger.award(
        member_id=member_id,
        amount=Points(points),
        key=key,
        kind="opening",
        account="opening",
        explanation={"code": "opening", "steps": []},
        occurred_at=at,
        now=at,
        **fields,
    )


def purchase_report(member_id: int, *amounts: int, unit: Any, order_no: str = "1", **fields: Any) -> PurchaseReport:
    """A purchase with one line per amount (minor units), at noon unless told otherwise."""
    lines = tuple(ReportedLine("tea", f"TEA-{place}", 1, amount) for place, amount in enumerate(amounts, start=1))
    common: dict[str, Any] = {"occurred_at": NOON, "currency": "CNY", "source": "test", "lines": lines}
    return PurchaseReport(
        unit_id=unit.id, unit_code=unit.code, order_no=order_no, member_id=member_id, **(common | fields)
    )


def buy(member_id: int, *amounts: int, unit: Any, order_no: str = "1", at: datetime = NOON, **fields: Any) -> int:
    """Record a purchase in a transaction of its own. Returns the points it earned."""
    with transaction():
        report = purchase_report(member_id, *amounts, unit=unit, order_no=order_no, occurred_at=at)
        return record_purchases([report], now=at, **fields)[0].points.value
