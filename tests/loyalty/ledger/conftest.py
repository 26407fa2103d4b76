"""A few people with wallets, and short words for what happens to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.foundation.database import db, transaction
from app.foundation.points import Points, Quantity
from app.identity.members.models import Member
from app.loyalty.ledger import actions
from app.loyalty.ledger.explanations import explanation
from app.loyalty.ledger.queries import Standing, standing
from app.loyalty.ledger.verify import verify
from tests.conftest import NOON
from tests.factories import make_member

WHY = explanation("opening")


class Teller:
    """Books for one member, one transaction per call, with a key of its own unless one is given."""

    def __init__(self, member_id: int) -> None:
        self.member_id = member_id
        self._count = 0

    def _key(self, key: str | None) -> str:
        self._count += 1
        return key or f"test:{self.member_id}:{self._count}"

    def _do(self, action: Callable[..., Any], amount: int | Quantity, key: str | None, **fields: Any) -> Any:
        quantity = Points(amount) if isinstance(amount, int) else amount
        with transaction():
            return action(
                member_id=self.member_id,
                amount=quantity,
                key=self._key(key),
                explanation=WHY,
                **{"now": NOON, **fields},
            )

    def award(self, amount: int | Quantity, key: str | None = None, *, at: datetime = NOON, **fields: Any) -> Any:
        return self._do(actions.award, amount, key, kind="purchase", occurred_at=at, **fields)

    def spend(self, amount: int, key: str | None = None, **fields: Any) -> Any:
        return self._do(actions.spend, amount, key, kind="redemption", **fields)

    def hold(self, amount: int, key: str | None = None, **fields: Any) -> Any:
        return self._do(actions.hold, amount, key, kind="redemption", **{"deadline": None, **fields})

    def adjust(self, amount: int, key: str | None = None, **fields: Any) -> Any:
        return self._do(actions.adjust, amount, key, **fields)

    def post(self, pending_key: str, key: str | None = None, *, now: datetime = NOON) -> Any:
        with transaction():
            return actions.post_pending(key=self._key(key), pending_key=pending_key, now=now)

    def void(self, pending_key: str, key: str | None = None, *, now: datetime = NOON) -> Any:
        with transaction():
            return actions.void_pending(key=self._key(key), pending_key=pending_key, now=now)

    def give_back(
        self, spent_key: str, amount: int, key: str | None = None, *, now: datetime = NOON, **more: Any
    ) -> Any:
        with transaction():
            return actions.give_back(
                spent_key=spent_key,
                amount=Points(amount),
                key=self._key(key),
                kind="return",
                explanation=WHY,
                now=now,
                **more,
            )

    def claw_back(self, award_key: str, amount: int, key: str | None = None, *, now: datetime = NOON) -> Any:
        with transaction():
            return actions.claw_back(
                award_key=award_key, amount=Points(amount), key=self._key(key), explanation=WHY, now=now
            )

    def reverse(self, original_key: str, key: str | None = None, *, now: datetime = NOON) -> Any:
        with transaction():
            return actions.reverse(original_key=original_key, key=self._key(key), explanation=WHY, now=now)

    def standing(self, *, now: datetime = NOON) -> Standing:
        return standing(self.member_id, now=now)

    @property
    def available(self) -> Points:
        return self.standing().available


def make_teller(code: str) -> Teller:
    with transaction():
        member = Member(code=code, name=code.title(), created_at=NOON)
        db.session.add(member)
        db.session.flush()
        actions.open_wallets(member_ids=[member.id])
        return Teller(member.id)


@pytest.fixture
def alice(app: Flask) -> Teller:
    return make_teller("alice")


@pytest.fixture
def bob(app: Flask) -> Teller:
    return make_teller("bob")


@pytest.fixture
def carol(app: Flask) -> Member | None:
    """A member for the pages: she can sign in."""
    return db.session.get(Member, make_member(name="Carol"))


@pytest.fixture(autouse=True)
def books_stay_clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every story the books must prove themselves."""
    stands = "app" in request.fixturenames
    if stands:
        request.getfixturevalue("app")  # So that the application is still there when we look.
    yield
    if stands and "tampering" not in request.keywords:
        db.session.rollback()
        assert verify().findings == []


DAY = timedelta(days=1)
