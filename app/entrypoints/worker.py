"""The worker's door: the ``jobs`` room of every domain, and the outbox channels that stand there."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import app as domains


def init_app() -> None:
    """Importing a room declares its jobs. A domain opens such a room and is found; nothing has to be listed."""
    for module in walk_packages(domains.__path__, "app."):
        if module.name.endswith(".jobs"):
            import_module(module.name)
