"""Every route × every role: what a view declares decides, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.foundation.permissions import MEMBER, PUBLIC, ROLES, check_declarations, declared
from tests.cast import sign_in

ROLE_SETS = {"visitor": frozenset(), "member": MEMBER, **ROLES}
DOORS = ("/session", "/backoffice/session")
DUMMIES = {"RowNumber": 999_999, "FloatConverter": 9.5, "UUIDConverter": "00000000-0000-0000-0000-000000000000"}


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            yield from ((rule, method) for method in sorted((rule.methods or set()) - {"OPTIONS"}))


def address(rule: Rule) -> str:
    arguments = {name: DUMMIES.get(type(kind).__name__, "unknown") for name, kind in rule._converters.items()}
    built = rule.build(arguments)
    assert built
    return built[1]


@pytest.fixture
def people(alice, merchant, agent, auditor, owner):
    return {"visitor": None, "member": alice, "merchant": merchant, "agent": agent, "auditor": auditor, "owner": owner}


def address_of(answer: TestResponse) -> str:
    return urlsplit(answer.location or "").path


def refused(answer: TestResponse) -> bool:
    """By the guard: 403, or for a visitor the way (302, never 303) to one of the doors."""
    led_to_a_door = answer.status_code == 302 and address_of(answer) in DOORS
    return answer.status_code == 403 or led_to_a_door


@pytest.mark.parametrize("role", ROLE_SETS)
def test_the_declared_permission_decides_and_nothing_else(app, people, role):
    wrong = []
    for rule, method in rules(app):
        permission = declared(rule.endpoint)
        client = app.test_client()
        if people[role]:
            sign_in(client, people[role])
        answer = client.open(address(rule), method=method)
        if refused(answer) is (permission == PUBLIC or permission in ROLE_SETS[role]):
            wrong.append(f"{method} {rule.rule} needs {permission} and answered {answer.status_code} {answer.location}")
    assert not wrong


def test_visitors_are_led_to_the_right_door(client):
    for rule, _method in rules(client.application):
        permission = declared(rule.endpoint)
        if permission != PUBLIC and "GET" in (rule.methods or set()):
            door = "/session" if permission in MEMBER else "/backoffice/session"
            assert address_of(client.get(address(rule))) == door


def test_every_view_declares_what_it_needs(app):
    check_declarations(app)


def test_a_view_that_declares_nothing_keeps_the_house_from_starting():
    app = Flask("forgetful")
    app.add_url_rule("/open", "open", lambda: "everybody")
    with pytest.raises(RuntimeError, match="open"):
        check_declarations(app)


def test_permissions_of_members_and_colleagues_never_mix():
    assert all(not MEMBER & permissions for permissions in ROLES.values())
    assert all("write" not in permission.value for permission in ROLES["auditor"])
