"""Long lists, a page at a time, by the last row seen instead of by counting: page 1,000 costs what page 1 does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import InstrumentedAttribute

from app.foundation.database import UTCDateTime, db

T = TypeVar("T")
Key = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """Some rows, and the ``after`` with which the next ones begin; ``None`` at the end."""

    items: Sequence[T]
    after: str | None


def part_of(
    statement: sa.Select[T], *, keys: Sequence[Key], after: str | None, limit: int, newest_first: bool = True
) -> Part[T]:
    """The rows behind ``after``. ``keys`` order them, all in one direction; the last must be unique."""
    order = [key.desc() if newest_first else key.asc() for key in keys]
    if (values := _read(after, keys)) is not None:
        columns, seen = sa.tuple_(*keys), sa.tuple_(*(sa.literal(v, k.type) for v, k in zip(values, keys, strict=True)))
        statement = statement.where(columns < seen if newest_first else columns > seen)
    rows: list[T] = list(db.session.scalars(statement.order_by(*order).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    return Part(rows, _write([getattr(rows[-1], key.key) for key in keys]) if more else None)


def next_url(part: Part[Any]) -> str | None:
    """This page's address with its filters, continued behind what it shows."""
    return _here(after=part.after) if part.after else None


def first_url() -> str | None:
    """Back to the beginning, where this page is not the beginning."""
    return _here() if request.args.get("after") else None


def _here(**more: str) -> str:
    filters = [(name, value) for name, value in request.args.items() if name != "after" and value]
    query = urlencode([*filters, *more.items()])
    return f"{request.path}?{query}" if query else request.path


def _write(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, (date, datetime)) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _read(after: str | None, keys: Sequence[Key]) -> list[Any] | None:
    """``None`` for nothing or nonsense: somebody who edits the address begins at the beginning."""
    if not after:
        return None
    try:
        plain = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        values = [_typed(value, _kind(key)) for value, key in zip(plain, keys, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError):
        return None
    return values


def _kind(key: Key) -> type:
    return datetime if isinstance(key.type, UTCDateTime) else key.type.python_type


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime and isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("A moment needs a timezone.")
        return moment.astimezone(UTC)  # Refuses what lies beyond the calendar, as the database would.
    if kind is date and isinstance(value, str):
        return date.fromisoformat(value)
    too_large = isinstance(value, int) and abs(value) >= 2**63
    if type(value) is not kind or too_large or (isinstance(value, str) and "\0" in value):
        raise ValueError("This is not the value of such a column.")
    return value
