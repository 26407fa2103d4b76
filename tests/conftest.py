"""Fixtures of the whole suite. Every test that asks for ``app`` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import Babel
from flask_migrate import upgrade
from werkzeug.test import TestResponse

from app import create_app
from app.config import Settings
from app.foundation import clock
from app.foundation.database import db
from tests import scheduling
from tests.databases import Backend, PostgresBackend, SqliteBackend, start_postgres

SERVER = "JIFEN_TEST_SERVER"
NOON = datetime(2026, 6, 15, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai, a Monday, far from any month's end.


def pytest_configure(config: pytest.Config) -> None:
    """One PostgreSQL for all workers: the controller starts it, the workers inherit its address."""
    if not hasattr(config, "workerinput"):
        os.environ[SERVER] = start_postgres()


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> scheduling.Parts:
    return scheduling.Parts(config, log)


@pytest.hookimpl(trylast=True)  # When pytest has put the tests of one database together.
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        scheduling.sort(items)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not look at it again and again, nor so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    made: Backend = SqliteBackend() if request.param == "sqlite" else PostgresBackend(os.environ[SERVER])
    yield made
    made.close()


@pytest.fixture(scope="session")
def application(backend: Backend) -> Iterator[Flask]:
    """One application per database kind, and a migrated template to copy for each test."""
    with tempfile.TemporaryDirectory(prefix="jifen-instance-") as folder:
        app = create_app(
            Settings(
                environment="testing",
                instance_path=Path(folder),
                database_url=backend.url,
                cheap_passwords=True,
                extra={"WTF_CSRF_ENABLED": False, "RATELIMIT_ENABLED": False},
            )
        )
        with app.app_context():
            upgrade()
            db.engine.dispose()
        backend.keep_as_template()
        app.test_client_class = Browser
        yield app


class Browser(FlaskClient):
    """A client whose requests have contexts and database sessions of their own, as on a server.

    Without this Flask would lend them the test's application context, and with it the person
    who signed in before, the language and all rows read. What the test holds is read afresh.
    """

    def open(self, *args: Any, **options: Any) -> TestResponse:
        db.session.rollback()
        with self.application.app_context():
            return super().open(*args, **options)


@pytest.fixture
def app(application: Flask, backend: Backend) -> Iterator[Flask]:
    """The application on a fresh database, inside an application context."""
    with application.app_context():
        backend.fresh()
        with clock.freeze(NOON):
            yield application
        db.session.remove()


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """pytest-flask would put each test into a request of its own; here only a client makes requests, as in life."""


@pytest.fixture
def words() -> Iterator[None]:
    """Sentences need an application to be spoken in; no database is touched."""
    app = Flask("words")
    Babel(app)
    with app.app_context():
        yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


# At the end, because the cast needs NOON from above.
from tests.cast import agent, alice, auditor, bob, mallory, merchant, owner, unit  # noqa: E402, F401
