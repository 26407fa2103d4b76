"""The worker's door: the ``jobs`` room of every domain, and the outbox channels that stand there."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import app as domains

CHANNELS = ("app.foundation.mail", "app.foundation.sms")  # Rooms that no other room needs to import.


def init_app() -> None:
    """Importing a room declares its jobs. A domain opens such a room and is found; nothing has to be listed."""
    for channel in CHANNELS:
        import_module(channel)
    for module in walk_packages(domains.__path__, "app."):
        if module.name.endswith(".jobs"):
            import_module(module.name)
