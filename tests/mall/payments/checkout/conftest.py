from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.foundation.database import db
from app.loyalty.ledger.verify import verify
from tests.factories import make_member
from tests.mall.payments.stripe_world import app, order_kettle, server, stripe_application, stripe_at_home

__all__ = ["app", "server", "stripe_application", "stripe_at_home"]


@pytest.fixture
def alice(app: Flask) -> int:
    """A member with 1,000 points."""
    return make_member(name="Alice Lin", email="alice@example.com", points=1_000)


@pytest.fixture
def order(alice: int) -> int:
    """A kettle for 300 points and ¥50, not paid yet."""
    return order_kettle(alice)


@pytest.fixture(autouse=True)
def books_stay_clean(app: Flask) -> Iterator[None]:
    yield
    db.session.rollback()
    assert verify().findings == []
