from __future__ import annotations

import pytest

from tests.factories import make_member


@pytest.fixture
def alice(app) -> int:
    """A member with 1,000 points."""
    return make_member(name="Alice Lin", email="alice@example.com", points=1_000)


@pytest.fixture
def mallory(app) -> int:
    return make_member(name="Mallory Wu", email="mallory@example.com", points=1_000)
