"""Terms: what a shop may change while the system runs, declared as typed dataclasses and kept in versions.

A domain writes ``@terms("checkin", _l("Check-in")) class CheckinTerms: daily: int = 5`` and reads
``current(CheckinTerms).daily``, or ``at(CheckinTerms, moment)`` for what happened earlier. The defaults stand in code
and are version 1; each version that an owner publishes is a row, holds from its moment on, and never changes.
What is being prepared is a draft: see ``foundation/drafts.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from flask import g
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, aliased, mapped_column

from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.database import Id, Json, Model, UTCDateTime, db, fetch, insert_new
from app.foundation.errors import InvalidInput
from app.foundation.events import publish as tell

T = TypeVar("T")
declared: dict[str, type] = {}

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NOTE = 300
LONGEST_AHEAD = timedelta(days=5 * 366)


audit.describe("terms", _l("Terms"), {"terms.change": _l("Terms changed")})


class TermsVersion(Model):
    """One published version of a domain's terms. It holds from ``starts_at`` until another one starts."""

    __tablename__ = "terms_version"
    __table_args__ = (sa.UniqueConstraint("domain", "version"), sa.Index(None, "domain", "starts_at"))

    id: Mapped[Id]
    domain: Mapped[str] = mapped_column(sa.String(40))
    version: Mapped[int]
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    starts_at: Mapped[datetime]
    published_at: Mapped[datetime]
    published_by: Mapped[str] = mapped_column(sa.String(120))
    note: Mapped[str] = mapped_column(sa.String(LONGEST_NOTE), default="")


@dataclass(frozen=True, slots=True)
class TermsPublished:
    """A version of a domain's terms was published; it holds from ``starts_at`` on."""

    domain: str
    version: int
    starts_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Edition(Generic[T]):
    """One version with its number. ``published_at`` is ``None`` for defaults that nobody has published."""

    version: int
    terms: T
    starts_at: datetime = BEGINNING
    published_at: datetime | None = None
    published_by: str = ""
    note: str = ""


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
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=words)
    return field(default=default, metadata=words)


def domain_of(cls: type) -> str:
    """The name under which a class of terms was declared."""
    return cast("str", cls.domain)  # type: ignore[attr-defined]


def made(cls: type[T], values: Mapping[str, Any]) -> T:
    """Stored values as terms; what the code no longer knows is left out. Raises ``InvalidInput``."""
    wanted: Any = cls
    return cast("T", _parsed(wanted, json.dumps(values)))


@lru_cache(maxsize=256)
def _parsed(cls: Any, stored: str) -> Any:
    """The same values are the same terms, which nobody changes: to look through dozens of benefits takes its time."""
    known = {entry.name for entry in fields(cls)}
    return cls(**{name: value for name, value in json.loads(stored).items() if name in known})


def values_of(terms: Any) -> dict[str, Any]:
    """Terms as they are stored: to change some of them and publish the whole."""
    return asdict(terms)


# --- reading --------------------------------------------------------------------------------

_later = aliased(TermsVersion)
_FROM_NOW_ON = (
    sa.select(
        TermsVersion.domain,
        TermsVersion.version,
        TermsVersion.values,
        TermsVersion.starts_at,
        TermsVersion.published_at,
        TermsVersion.published_by,
        TermsVersion.note,
    )
    .where(
        ~sa.exists().where(
            _later.domain == TermsVersion.domain,
            _later.starts_at <= sa.bindparam("now", type_=UTCDateTime()),
            sa.or_(
                _later.starts_at > TermsVersion.starts_at,
                sa.and_(_later.starts_at == TermsVersion.starts_at, _later.version > TermsVersion.version),
            ),
        )
    )
    .order_by(TermsVersion.version)
)


def current(cls: type[T]) -> T:
    """The terms in force now. Those of all domains are read by one query per request."""
    rows = _from_now_on(cls)
    started = [row for row in rows if row[2] <= g.terms_now]
    return _made_once(cls, max(started, key=_place)).terms if started else cls()


def _from_now_on(cls: type) -> list[Any]:
    """The version in force now and those to come, as they are stored: version, values, and from when on."""
    if "terms" not in g:
        g.terms, g.terms_now, g.terms_made = {}, clock.now(), {}
        for domain, *row in fetch(_FROM_NOW_ON, {"now": g.terms_now}):
            g.terms.setdefault(domain, []).append(row)
    found: list[Any] = g.terms.get(domain_of(cls), [])
    return found


def _place(row: Any) -> tuple[datetime, int]:
    return row[2], row[0]


def _made_once(cls: type[T], row: Any) -> Edition[T]:
    known: dict[tuple[type, int], Any] = g.terms_made
    version, values, *about = row
    if (cls, version) not in known:
        known[cls, version] = Edition(version, made(cls, values), *about)
    return cast("Edition[T]", known[cls, version])


def editions(cls: type[T]) -> list[Edition[T]]:
    """All published versions, the first one first; the defaults as version 1 where there are none."""
    known: dict[type, Any] = g.setdefault("terms_editions", {})
    if cls not in known:
        which = sa.select(TermsVersion).where(TermsVersion.domain == domain_of(cls)).order_by(TermsVersion.version)
        known[cls] = [_edition(cls, row) for row in db.session.scalars(which)] or [Edition(1, cls())]
    return cast("list[Edition[T]]", known[cls])


def _edition(cls: type[T], row: TermsVersion) -> Edition[T]:
    return Edition(row.version, made(cls, row.values), row.starts_at, row.published_at, row.published_by, row.note)


def at(cls: type[T], moment: datetime) -> Edition[T]:
    """The version in force at ``moment``: the latest to have started; before the first version, the first.

    Only what was in force before the version that is in force now takes a query of its own.
    """
    started = [row for row in _from_now_on(cls) if row[2] <= moment]
    return _made_once(cls, max(started, key=_place)) if started else in_force(editions(cls), moment)


def in_force(published: list[Edition[T]], moment: datetime) -> Edition[T]:
    """The same of versions at hand."""
    started = [edition for edition in published if edition.starts_at <= moment]
    return max(started, key=lambda each: (each.starts_at, each.version)) if started else published[0]


def latest(cls: type) -> int:
    """The number of the latest version; 0 where nobody has ever published any."""
    which = sa.select(sa.func.max(TermsVersion.version)).where(TermsVersion.domain == domain_of(cls))
    return db.session.scalar(which) or 0


def to_come(cls: type[T], now: datetime) -> list[Edition[T]]:
    """Versions that are published and will start, the next one first; of those for one moment, the last one will."""
    published = editions(cls)
    later = [each for each in published if each.starts_at > now and in_force(published, each.starts_at) is each]
    return sorted(later, key=lambda each: each.starts_at)


def read_all_editions() -> None:
    """Read the versions of all domains by one query, for a page that shows every domain."""
    found: dict[str, list[TermsVersion]] = {}
    for row in db.session.scalars(sa.select(TermsVersion).order_by(TermsVersion.version)):
        found.setdefault(row.domain, []).append(row)
    known: dict[type, Any] = g.setdefault("terms_editions", {})
    for domain, cls in declared.items():
        known.setdefault(cls, [_edition(cls, row) for row in found.get(domain, ())] or [Edition(1, cls())])


# --- publishing -----------------------------------------------------------------------------


def install(cls: type[T], *, now: datetime, first: T | None = None) -> None:
    """Write the defaults, or ``first``, down as version 1: a later release with other defaults changes nothing here."""
    _insert(cls, 1, first or cls(), starts_at=BEGINNING, by="", note="", now=now)


def publish(cls: type[T], values: Mapping[str, Any], *, starts_at: datetime, note: str, by: Actor, now: datetime) -> T:
    """Publish ``values`` as the next version, in force from ``starts_at`` on. Audited; tells ``TermsPublished``.

    What is the same as what will be in force then anyway makes no version. Raises ``InvalidInput``
    for values that make no sense, and for a moment that has passed: nothing is valued anew.
    """
    if starts_at < now:
        raise InvalidInput(_("New terms cannot begin in the past: what has happened stays as it was."))
    if starts_at > now + LONGEST_AHEAD:
        raise InvalidInput(_("New terms can begin within five years. Please choose an earlier day."))
    try:
        after = cls(**values)
    except TypeError as error:
        raise InvalidInput(str(error)) from error
    install(cls, now=now)
    g.pop("terms_editions", None)
    published = editions(cls)
    before = in_force(published, starts_at).terms
    if after == before:
        return after
    version = published[-1].version + 1
    _insert(cls, version, after, starts_at=starts_at, by=by.label, note=note[:LONGEST_NOTE], now=now)
    audit.record(
        "terms.change",
        subject=("terms", domain_of(cls), domain_of(cls)),
        by=by,
        now=now,
        before=asdict(before),  # type: ignore[call-overload]
        after=asdict(after),  # type: ignore[call-overload]
    )
    forget()
    tell(TermsPublished(domain_of(cls), version, starts_at, now))
    return after


def held_until(cls: type[T], version: int, *, now: datetime) -> Edition[T] | None:
    """What holds until a version starts, which would hold on if that were taken back.

    ``None`` where there is nothing to take back: it has started, another one is published for its moment, or it
    changes nothing.
    """
    coming = next((each for each in to_come(cls, now) if each.version == version), None)
    if coming is None:
        return None
    until = in_force([each for each in editions(cls) if each.starts_at < coming.starts_at], coming.starts_at)
    return until if until.terms != coming.terms else None


def take_back(cls: type[T], version: int, *, by: Actor, now: datetime) -> None:
    """Publish what holds until a version starts for that very moment, so that it never does. As ``publish``.

    Raises ``InvalidInput`` where there is nothing to take back.
    """
    forget()
    until = held_until(cls, version, now=now)
    if until is None:
        raise InvalidInput(
            _("Version %(number)s has started or will never start: it cannot be taken back.", number=version)
        )
    [coming] = [each for each in editions(cls) if each.version == version]
    publish(cls, values_of(until.terms), starts_at=coming.starts_at, note="", by=by, now=now)


def change(cls: type[T], values: Mapping[str, Any], *, by: Actor, now: datetime) -> T:
    """Publish ``values`` from now on. Raises as ``publish``."""
    return publish(cls, values, starts_at=now, note="", by=by, now=now)


def forget() -> None:
    """Read the terms afresh the next time."""
    for name in ("terms", "terms_now", "terms_made", "terms_editions"):
        g.pop(name, None)


def _insert(cls: type, version: int, values: Any, *, starts_at: datetime, by: str, note: str, now: datetime) -> None:
    row = {
        "domain": domain_of(cls),
        "version": version,
        "values": asdict(values),
        "starts_at": starts_at,
        "published_at": now,
        "published_by": by,
        "note": note,
    }
    inserted = insert_new(TermsVersion, [row], unless=["domain", "version"], returning=[TermsVersion.id])
    if not inserted and version > 1:
        raise InvalidInput(_("Somebody else has just published other terms here. Please look at them first."))
