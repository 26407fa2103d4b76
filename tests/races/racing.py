"""Let several people act at the same instant, each in a thread with a database session of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

PATIENCE = 30  # Seconds after which a barrier that nobody reaches fails the test instead of hanging it.


def barrier(parties: int) -> threading.Barrier:
    return threading.Barrier(parties, timeout=PATIENCE)


def together(app: Flask, *acts: Callable[[], Any]) -> list[Any]:
    """Run all at once. Each one's answer, or the exception it raised, in the order given."""
    answers: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                answers[place] = act()
            except Exception as error:  # The test looks at it.
                answers[place] = error

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE * 2)
    assert not any(thread.is_alive() for thread in threads), "somebody still waits: a deadlock"
    return answers


def meet_before(monkeypatch: Any, owner: Any, name: str, meeting: threading.Barrier) -> None:
    """Everybody waits for the others before calling ``owner.name``, once each."""
    original, seen = getattr(owner, name), threading.local()

    def wait_then_call(*args: Any, **kwargs: Any) -> Any:
        _meet(meeting, seen)
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, wait_then_call)


def meet_after(monkeypatch: Any, owner: Any, name: str, meeting: threading.Barrier) -> None:
    """Everybody waits for the others after calling ``owner.name``, once each: all have looked, nobody has acted."""
    original, seen = getattr(owner, name), threading.local()

    def call_then_wait(*args: Any, **kwargs: Any) -> Any:
        answer = original(*args, **kwargs)
        _meet(meeting, seen)
        return answer

    monkeypatch.setattr(owner, name, call_then_wait)


def _meet(meeting: threading.Barrier, seen: threading.local) -> None:
    if not getattr(seen, "met", False):
        seen.met = True
        meeting.wait()


def without_lock(_order: Any, statement: Any) -> Any:
    """What ``foundation.database.lock`` would be if it did not lock."""
    return statement.execution_options(populate_existing=True)
