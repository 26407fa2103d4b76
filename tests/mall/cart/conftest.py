from __future__ import annotations

import pytest

from tests.cast import join, sign_in


@pytest.fixture
def alice(app):
    return join("alice@example.com", "Alice Lin")


@pytest.fixture
def browser(client, alice):
    return sign_in(client, alice)
