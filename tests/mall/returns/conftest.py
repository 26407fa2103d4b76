from __future__ import annotations

import pytest

from app.foundation.database import db
from app.identity.members.models import Member
from app.identity.units.queries import unit_by_code
from app.mall.returns import pictures
from tests.cast import employ
from tests.factories import make_member
from tests.mall.orders.shop import make_unit


@pytest.fixture(autouse=True)
def pictures_folder(tmp_path, monkeypatch):
    """Each test has an empty folder of its own."""
    monkeypatch.setattr(pictures, "folder", lambda: tmp_path / "returns")


@pytest.fixture
def alice(app):
    return db.session.get_one(Member, make_member(name="Alice Lin", email="alice@example.com", points=10_000))


@pytest.fixture
def merchant(app):
    make_unit("shop")
    return employ("merchant", "Mei Zhao", (unit_by_code("shop"),))
