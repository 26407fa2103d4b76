"""What an owner does with terms in the back office: save a draft, look at it, publish it."""

from __future__ import annotations

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse


def value_of(page: str, name: str) -> str:
    """What stands in the first input of this name."""
    found = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    assert found, f"no input {name}"
    value = re.search(r'value="([^"]*)"', found.group())
    return unescape(value.group(1)) if value else ""


def seal_on(client: FlaskClient, domain: str) -> str:
    return value_of(client.get(f"/backoffice/terms/{domain}/publication").text, "seal")


def publish(client: FlaskClient, domain: str, **more: str) -> TestResponse:
    """Publish the draft as it stands on its page."""
    seal = seal_on(client, domain)
    return client.post(f"/backoffice/terms/{domain}/publication", data={"seal": seal, "when": "now"} | more)
