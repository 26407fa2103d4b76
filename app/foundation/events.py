"""News travels up: a lower domain publishes what happened, a handler on a higher floor tells the whole story.

Handlers run at once, in the publisher's transaction: either the fact and all its
consequences are written, or none is. What must leave the process goes through the outbox.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

E = TypeVar("E")
_handlers: defaultdict[type, list[Callable[[Any], None]]] = defaultdict(list)


def handles(event: type[E]) -> Callable[[Callable[[E], None]], Callable[[E], None]]:
    """Register a function as a handler of ``event``. Several handlers run in the order of registration."""

    def register(handler: Callable[[E], None]) -> Callable[[E], None]:
        if handler not in _handlers[event]:
            _handlers[event].append(handler)
        return handler

    return register


def publish(event: object) -> None:
    """Call every handler of this event, now. An exception from a handler undoes the publisher's transaction too."""
    for handler in _handlers[type(event)]:
        handler(event)
