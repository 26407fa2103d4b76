"""Many people at once: threads that start or meet together, and a database without its last line for a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, local
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.foundation.database import db
from app.foundation.errors import DomainError
from app.loyalty.ledger import book, expiry

# SQLite lets one writer in at a time, so races are told on PostgreSQL.
ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True, scope="session")


PATIENCE = 30  # Seconds after which a barrier that nobody reaches fails the test instead of hanging it.


def barrier(parties: int) -> Barrier:
    return Barrier(parties, timeout=PATIENCE)


def at_once(app: Flask, tasks: Sequence[Callable[[], Any]], *, refusal: type[Exception] = DomainError) -> list[Any]:
    """Run the tasks in as many threads, all starting together, and give their answers in the order of the tasks.

    A ``refusal`` is an answer; anything else that is raised is raised here.
    """
    start = barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        with app.app_context():
            start.wait()
            try:
                return task()
            except refusal as refused:
                return refused

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def refusals(answers: list[Any]) -> int:
    return sum(isinstance(answer, DomainError) for answer in answers)


def meet_before(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, meeting: Barrier) -> None:
    """Everybody waits for the others before calling ``owner.name``, once each."""
    original, seen = getattr(owner, name), local()

    def wait_then_call(*args: Any, **kwargs: Any) -> Any:
        _meet(meeting, seen)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, wait_then_call)


def meet_after(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, meeting: Barrier) -> None:
    """Everybody waits for the others after calling ``owner.name``, once each: all have looked, nobody has acted."""
    original, seen = getattr(owner, name), local()

    def call_then_wait(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        _meet(meeting, seen)
        return answer

    monkeypatch.setattr(owner, name, call_then_wait)


def _meet(meeting: Barrier, seen: local) -> None:
    if not getattr(seen, "met", False):
        seen.met = True
        meeting.wait()


def without_lock(_order: Any, statement: Any) -> Any:
    """What ``foundation.database.lock`` would be if it did not lock."""
    return statement.execution_options(populate_existing=True)


def unlock_wallets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the ledger read wallets without locking them; its locking statements are made beforehand."""
    for module, name in ((book, "_LOCK_BY_MEMBER"), (book, "LOCK_ONE"), (expiry, "LOCK_ONE_WITH_LOTS")):
        locking = str(getattr(module, name))
        assert "FOR UPDATE" in locking
        monkeypatch.setattr(module, name, sa.text(locking.replace("FOR UPDATE", "")))


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
