from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.foundation.database import db
from app.mall.slots.queries import mismatches
from tests.mall.orders.conftest import alice, books_stay_clean, mallory

__all__ = ["alice", "books_stay_clean", "mallory", "stock_follows"]


@pytest.fixture(autouse=True)
def stock_follows(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every story the stock of services is what their slots have free."""
    stands = "app" in request.fixturenames
    if stands:
        request.getfixturevalue("app")
    yield
    if stands:
        db.session.rollback()
        assert mismatches() == []
