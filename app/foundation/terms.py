"""Terms: the numbers a shop may change while the system runs, declared as typed dataclasses.

A domain writes ``@terms("checkin", _l("Check-in")) class CheckinTerms: daily: int = 5`` and reads
``current(CheckinTerms).daily``. The defaults stand in code; what the owner changed in the
back office is one JSON row per domain. All rows are read by one query per request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import g
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.database import Json, Model, db, fetch
from app.foundation.errors import InvalidInput

T = TypeVar("T")
declared: dict[str, type] = {}


audit.describe("terms", _l("Terms"), {"terms.change": _l("Terms changed")})


class StoredTerms(Model):
    __tablename__ = "terms"

    domain: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    updated_at: Mapped[datetime]


def terms(domain: str, title: Any) -> Callable[[type[T]], type[T]]:
    """Declare a domain's terms, with their ``title`` in the back office.

    A ``__post_init__`` that raises ``InvalidInput`` refuses nonsense.
    """

    def declare(cls: type[T]) -> type[T]:
        made = dataclass(frozen=True, kw_only=True)(cls)
        made.domain, made.title = domain, title  # type: ignore[attr-defined]
        declared[domain] = made
        return made

    return declare


def term(default: Any, label: Any, help_text: Any = "", *, choices: Mapping[str, Any] | None = None) -> Any:
    """One term with the words that the back office shows: ``daily: int = term(5, _l("Points a day"))``.

    ``choices`` are the values allowed, with their labels. A mutable default is copied for each use.
    """
    words = {"label": label, "help": help_text, "choices": choices}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=words)
    return field(default=default, metadata=words)


_STORED = sa.select(StoredTerms.domain, StoredTerms.values)


def current(cls: type[T]) -> T:
    """The terms in force now."""
    if "terms" not in g:
        rows = fetch(_STORED, {})
        g.terms, g.terms_made = {row[0]: row[1] for row in rows}, {}
    made: dict[type, Any] = g.terms_made
    if cls not in made:
        stored = g.terms.get(cls.domain, {})  # type: ignore[attr-defined]
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        made[cls] = cls(**{name: value for name, value in stored.items() if name in known})
    return cast("T", made[cls])


def change(cls: type[T], values: dict[str, Any], *, by: Actor, now: datetime) -> T:
    """Replace a domain's terms. Raises ``InvalidInput`` with a sentence when the values make no sense."""
    before = current(cls)
    try:
        after = cls(**values)
    except TypeError as error:
        raise InvalidInput(str(error)) from error
    domain: str = cls.domain  # type: ignore[attr-defined]
    stored = db.session.get(StoredTerms, domain)
    if stored is None:
        db.session.add(StoredTerms(domain=domain, values=asdict(after), updated_at=now))  # type: ignore[call-overload]
    else:
        stored.values, stored.updated_at = asdict(after), now  # type: ignore[call-overload]
    audit.record(
        "terms.change",
        subject=("terms", domain, domain),
        by=by,
        now=now,
        before=asdict(before),  # type: ignore[call-overload]
        after=asdict(after),  # type: ignore[call-overload]
    )
    g.pop("terms", None)
    return after
