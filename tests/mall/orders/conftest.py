from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.foundation.database import db
from app.loyalty.ledger.verify import verify
from app.mall.codes.queries import mismatches
from tests.factories import make_member


@pytest.fixture
def alice(app: Flask) -> int:
    """A member with 1,000 points."""
    return make_member(name="Alice Lin", email="alice@example.com", points=1_000)


@pytest.fixture
def mallory(app: Flask) -> int:
    return make_member(name="Mallory Wu", email="mallory@example.com", points=1_000)


@pytest.fixture(autouse=True)
def books_stay_clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every story about an order the points' books and the stock must prove themselves."""
    stands = "app" in request.fixturenames
    if stands:
        request.getfixturevalue("app")
    yield
    if stands:
        db.session.rollback()
        assert verify().findings == []
        assert mismatches() == []
