"""Many people at once: threads that start together, and a database whose last line is taken away for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.foundation.database import db
from app.foundation.errors import DomainError

# SQLite lets one writer in at a time, so races are told on PostgreSQL.
ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


def at_once(app: Flask, tasks: list[Callable[[], Any]]) -> list[Any]:
    """Run the tasks in as many threads, all starting together. A refusal is an answer; anything else is raised."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        with app.app_context():
            barrier.wait()
            try:
                return task()
            except DomainError as refused:
                return refused

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def refusals(answers: list[Any]) -> int:
    return sum(isinstance(answer, DomainError) for answer in answers)


@contextmanager
def lifted(*constraints: str) -> Iterator[None]:
    """Take constraints away to show what they prevent; afterwards empty the tables concerned and put them back."""
    found = sa.text(
        "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
    )
    kept = []
    with db.engine.begin() as connection:
        for name in constraints:
            table, definition = connection.execute(found, {"name": name}).one()
            kept.append((table, name, definition))
            connection.execute(sa.text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    yield
    db.session.rollback()
    with db.engine.begin() as connection:
        for table, name, definition in kept:
            connection.execute(sa.text(f"TRUNCATE {table} CASCADE"))
            connection.execute(sa.text(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))
