"""How often somebody may knock. Counted per address and, for failures, per account, known or not."""

from __future__ import annotations

from flask import Response, request

from app.foundation.errors import InvalidInput
from app.identity.members.queries import normalise_ref

PER_ADDRESS = "60 per minute; 600 per hour"
FAILURES_PER_ACCOUNT = "10 per 15 minutes"
MESSAGES_PER_CONTACT = "4 per 15 minutes; 12 per day"
MESSAGES_PER_ADDRESS = "20 per 15 minutes"


def account() -> str:
    """The account that a form names as its ``contact``, however it was typed: ``Alice@…`` and ``alice@…`` count
    together."""
    return _named("contact")


def colleague() -> str:
    """The same for the staff's door, whose form has an ``email``. Each door looks at its own field only: with another
    name in a field that nobody reads, every guess would count for somebody else."""
    return _named("email")


def _named(field: str) -> str:
    typed = request.form.get(field, "")
    try:
        return normalise_ref(typed)
    except InvalidInput:
        return typed[:254].lower() or "nobody"


def failed(response: Response) -> bool:
    """A sign-in that worked costs nothing."""
    return response.status_code >= 400


def accepted(response: Response) -> bool:
    """A form with a slip in it sent no message."""
    return response.status_code < 400
