from __future__ import annotations

import pytest
from flask import Flask

from app.foundation.database import db
from app.identity.members.models import Member
from app.mall.catalog import pictures
from app.mall.catalog.models import Category
from tests.factories import make_member
from tests.mall.catalog.shelf import make_category


@pytest.fixture(autouse=True)
def media_folder(tmp_path, monkeypatch) -> None:
    """Each test has an empty media folder of its own."""
    monkeypatch.setattr(pictures, "folder", lambda: tmp_path / "media")


@pytest.fixture
def alice(app: Flask) -> Member:
    """A member with 350 points, neither more nor less."""
    member_id = make_member(name="Alice Lin", email="alice@example.com", points=350)
    return db.session.get_one(Member, member_id)


@pytest.fixture
def teas(app: Flask) -> Category:
    return make_category("tea", "Tea", "茶")
