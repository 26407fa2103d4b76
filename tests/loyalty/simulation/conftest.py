"""Four members and two units."""

from __future__ import annotations

import pytest

from tests.cast import make_unit
from tests.factories import make_member
from tests.loyalty.tiers.climbing import on


@pytest.fixture
def units(app):
    return [make_unit(), make_unit("cinema", "Cinema")]


@pytest.fixture
def members(app):
    return [make_member(name=name, at=on(2025, 12, 1)) for name in ("Alice Lin", "Bob Chen", "Cai Wu", "Dana Li")]
