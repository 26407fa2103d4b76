"""Where members of these stories buy."""

from __future__ import annotations

import pytest
from flask import Flask

from app.identity.units.models import Unit
from tests.cast import make_unit


@pytest.fixture
def mall(app: Flask) -> Unit:
    return make_unit()
