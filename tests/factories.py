"""Short ways to the things a test needs. Keyword arguments, sensible defaults, no surprises."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from app.foundation.database import db, transaction
from app.foundation.points import Points
from app.identity.members.models import Member
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
