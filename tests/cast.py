"""The people of our tests: Alice has been a member for a while, Bob is new, Mallory tries things; four colleagues."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.identity.members.actions import register
from app.identity.members.models import Member
from app.identity.staff.actions import create_staff
from app.identity.staff.models import Staff
from app.identity.units.actions import open_unit
from app.identity.units.models import Unit
from app.identity.units.queries import unit_by_code
from tests.conftest import NOON

PASSWORD = "three green kettles"


def make_unit(code: str = "mall", name: str = "Harbour Mall") -> Unit:
    with transaction():
        return unit_by_code(code) or open_unit(code=code, name={"en": name}, by=SYSTEM, now=NOON)


def join(email: str, name: str, **fields: str) -> Member:
    with transaction():
        return register(email=email, password=PASSWORD, name=name, now=NOON, **fields)


def employ(role: str, name: str, units: tuple[Unit, ...] = ()) -> Staff:
    with transaction():
        email = f"{role}@example.com"
        return create_staff(email=email, password=PASSWORD, name=name, role=role, units=units, by=SYSTEM, now=NOON)


def timeless(page: bytes) -> bytes:
    """The page without the tokens of its forms: they carry the second in which they were made."""
    return re.sub(rb'(name="csrf_token"[^>]*value=")[^"]*', rb"\1", page)


def sign_in(client: FlaskClient, person: Member | Staff) -> FlaskClient:
    """Give the client the session of this person, without the sign-in page. Returns the client."""
    db.session.expire_all()  # The person may have been signed out everywhere by an earlier request.
    with client.session_transaction() as session:
        session.update(_user_id=person.get_id(), _fresh=True)
    return client


@pytest.fixture
def alice(app: Flask) -> Member:
    return join("alice@example.com", "Alice Lin", phone="+8613800138000")


@pytest.fixture
def bob(app: Flask) -> Member:
    return join("bob@example.com", "Bob Chen")


@pytest.fixture
def mallory(app: Flask) -> Member:
    return join("mallory@example.com", "Mallory Wu")


@pytest.fixture
def unit(app: Flask) -> Unit:
    return make_unit()


@pytest.fixture
def merchant(unit: Unit) -> Staff:
    return employ("merchant", "Mei Zhao", (unit,))


@pytest.fixture
def agent(app: Flask) -> Staff:
    return employ("agent", "Arthur Gao")


@pytest.fixture
def auditor(app: Flask) -> Staff:
    return employ("auditor", "Aya Sun")


@pytest.fixture
def owner(app: Flask) -> Staff:
    return employ("owner", "Olivia Tan")
