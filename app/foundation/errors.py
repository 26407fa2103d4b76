"""Errors that speak to the person. A ``DomainError`` is an answer; anything else is a bug."""

from __future__ import annotations

from typing import ClassVar


class DomainError(Exception):
    """A request that the rules refuse.

    ``str(error)`` is the sentence that the page shows: what happened, and, where it
    helps, what to do next. Raising one inside ``transaction()`` rolls everything back,
    so nothing was moved.
    """

    status: ClassVar[int] = 409


class InvalidInput(DomainError):
    """The request itself makes no sense, whatever the state of the books."""

    status = 422


class NotFound(DomainError):
    """There is no such thing, or it is not yours to see; the two look the same."""

    status = 404
