"""Text messages leave through the outbox, like mail. There is no provider yet: in development they are printed."""

from __future__ import annotations

import sys
from typing import Any

from flask import current_app

from app.foundation import outbox


def available() -> bool:
    """Can this installation send text messages? Not in production, until a provider is built in."""
    return not current_app.config["SETTINGS"].production


@outbox.channel("sms")
def deliver(payload: dict[str, Any]) -> None:
    """Print one message: ``to``, ``text``. Raises ``NotImplementedError`` in production."""
    if not available():
        raise NotImplementedError("There is no text message provider.")
    sys.stdout.write(f"--- text message ---\nTo: {payload['to']}\n\n{payload['text']}\n---\n")
    sys.stdout.flush()
