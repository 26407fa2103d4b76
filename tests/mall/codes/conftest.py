from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from app.loyalty.ledger.verify import verify
from app.mall.codes.queries import mismatches
from tests.factories import make_member
from tests.mall.orders.shop import Goods, make_goods


@pytest.fixture
def lin(app: Flask) -> int:
    return make_member(name="Lin", email="lin@example.com", points=10_000)


@pytest.fixture
def latte(app: Flask) -> Goods:
    """A voucher with three codes in its pool, for points alone."""
    return make_goods("Latte", points=100, stock=3, kind="code")


@pytest.fixture
def ticket(app: Flask) -> Goods:
    """One with two codes, for points and cash."""
    return make_goods("Ticket", points=50, cash=1000, stock=2, kind="code")


@pytest.fixture(autouse=True)
def stock_is_what_the_pools_say(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every story, whatever it was about."""
    stands = "app" in request.fixturenames
    if stands:
        request.getfixturevalue("app")
    yield
    if stands:
        assert mismatches() == []
        assert verify().findings == []
