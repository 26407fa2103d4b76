"""An application of its own with a few odd pages, to see how faults and headers behave."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask, abort, request

from app import create_app
from app.config import Settings
from app.foundation.database import db
from app.foundation.errors import DomainError, InvalidInput, NotFound
from app.foundation.pages import page
from app.foundation.permissions import public


class TooFewPoints(DomainError):
    pass


@pytest.fixture
def odd(tmp_path: Path):
    """Make the odd application: ``odd(environment="production", …)``."""
    made: list[Flask] = []

    def make(**settings) -> Flask:
        extra = {"WTF_CSRF_ENABLED": False} | settings.pop("extra", {})
        app = create_app(Settings(**{"instance_path": tmp_path, "extra": extra} | settings))
        add_odd_pages(app)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.engine.dispose()


def add_odd_pages(app: Flask) -> None:
    answers = {
        "bug": lambda: 1 / 0,
        "refused": lambda: fail(TooFewPoints("You lack 20 points.")),
        "invalid": lambda: fail(InvalidInput("Three is not a number.")),
        "missing": lambda: fail(NotFound("There is no such tea.")),
        "teapot": lambda: abort(418),
        "away": lambda: abort(503),
        "address": lambda: {"address": request.remote_addr, "url": request.url_root},
        "page": lambda: page("errors/error.html", title="Tea", text="tea " * 500),
    }
    for name, answer in answers.items():
        app.add_url_rule(f"/odd/{name}", name, public(answer), methods=["GET", "POST"])
    app.add_url_rule("/odd/undeclared", "undeclared", lambda: "secret")


def fail(error: Exception) -> None:
    raise error
