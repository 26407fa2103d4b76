"""Who comes to the desk, and who sits behind it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.foundation.database import db
from app.identity.members.models import Member
from app.identity.staff.models import Staff
from tests.cast import sign_in
from tests.factories import make_member


@pytest.fixture
def carol(app: Flask) -> Member | None:
    """A member with 100 points."""
    return db.session.get(Member, make_member(name="Carol", points=100))


@pytest.fixture
def desk(client: FlaskClient, agent: Staff) -> FlaskClient:
    return sign_in(client, agent)
