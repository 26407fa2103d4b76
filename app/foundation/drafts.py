"""Drafts of terms: prepared in peace, looked at by others, then published from a moment on or thrown away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import formats
from app.foundation import terms as house_terms
from app.foundation.actors import Actor
from app.foundation.database import Json, LockOrder, Model, db, insert_new, lock
from app.foundation.errors import DomainError, InvalidInput

T = TypeVar("T")


class TermsDraft(Model):
    """The one draft of a domain. ``based_on`` is the version that was in force when it was begun."""

    __tablename__ = "terms_draft"

    domain: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    values: Mapped[dict[str, Any]] = mapped_column(Json)
    based_on: Mapped[int]
    saved_at: Mapped[datetime]
    saved_by: Mapped[str] = mapped_column(sa.String(120))


class DraftChanged(DomainError):
    """Somebody else saved, published or discarded the draft since this person saw it."""


@dataclass(frozen=True, slots=True)
class Draft(Generic[T]):
    """``seal`` stands for the content: whoever publishes says what they have seen."""

    terms: T
    seal: str
    based_on: int
    saved_at: datetime
    saved_by: str


def draft_of(cls: type[T]) -> Draft[T] | None:
    """The draft of these terms, if there is one that makes sense: a later release may refuse what this one took."""
    row = db.session.get(TermsDraft, house_terms.domain_of(cls))
    if row is None:
        return None
    try:
        values = house_terms.made(cls, row.values)
    except InvalidInput:
        return None
    return Draft(values, seal(row.values), row.based_on, row.saved_at, row.saved_by)


def seal_of(cls: type) -> str:
    """The seal of the draft, whether it makes sense or not; empty where there is none."""
    row = db.session.get(TermsDraft, house_terms.domain_of(cls))
    return seal(row.values) if row else ""


def domains_in_draft() -> set[str]:
    return set(db.session.scalars(sa.select(TermsDraft.domain)))


def save_draft(
    cls: type[T], values: Mapping[str, Any], *, by: Actor, now: datetime, seen: str | None = None
) -> Draft[T] | None:
    """Keep ``values`` as the draft. What holds now, with nothing else to come, is no draft: an older one goes then.

    ``seen`` is the seal of the draft that the author began with, empty where there was none; ``None`` does not ask.
    Raises ``DraftChanged`` when there is another by now, and ``InvalidInput`` with a sentence when the values make
    no sense; the draft stays as it was.
    """
    try:
        wanted = cls(**values)
    except TypeError as error:
        raise InvalidInput(str(error)) from error
    house_terms.forget()
    in_force = house_terms.at(cls, now)
    row = _locked(cls)
    _refuse_if_changed(row, seen)
    # While another version waits for its moment, what holds now is worth publishing again: it takes that one back.
    if wanted == in_force.terms and not house_terms.to_come(cls, now):
        if row is not None:
            db.session.delete(row)
            db.session.flush()
        return None
    if row is None:
        row = _begin(cls, asdict(wanted), based_on=in_force.version, by=by, now=now, seen=seen)  # type: ignore[call-overload]
    row.values = asdict(wanted)  # type: ignore[call-overload]
    row.saved_at, row.saved_by = now, by.label
    db.session.flush()
    return Draft(wanted, seal(row.values), row.based_on, now, by.label)


def _begin(
    cls: type, values: dict[str, Any], *, based_on: int, by: Actor, now: datetime, seen: str | None
) -> TermsDraft:
    """The first draft; of two people who begin one at once, the second waits here and is told."""
    first = {
        "domain": house_terms.domain_of(cls),
        "values": values,
        "based_on": based_on,
        "saved_at": now,
        "saved_by": by.label,
    }
    begun = insert_new(TermsDraft, [first], unless=["domain"], returning=[TermsDraft.domain])
    row = _locked(cls)
    if not begun:
        _refuse_if_changed(row, seen)
    return row or db.session.get_one(TermsDraft, first["domain"])


def _refuse_if_changed(row: TermsDraft | None, seen: str | None) -> None:
    if seen is None or seen == (seal(row.values) if row else ""):
        return
    if row is None:
        raise DraftChanged(
            _(
                "The draft that you began with was published or discarded meanwhile. What you typed is still here,"
                " and saving again makes a new draft of it."
            )
        )
    raise DraftChanged(
        _(
            "%(name)s has saved another draft meanwhile. What you typed is still here. Look at the other draft"
            " first: saving again replaces it.",
            name=row.saved_by,
        )
    )


def seal(values: Mapping[str, Any]) -> str:
    """A short digest of a draft's content."""
    return sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:20]


def discard_draft(cls: type, *, seen: str | None = None) -> None:
    """Throw the draft away, if there is one. Raises ``DraftChanged`` when it is not the one that was ``seen``."""
    row = _locked(cls)
    if row is None:
        return
    if seen is not None and seal(row.values) != seen:
        raise DraftChanged(_("The draft has changed meanwhile. Nothing was thrown away; please look at it again."))
    db.session.delete(row)
    db.session.flush()


def publish_draft(cls: type[T], *, seen: str, starts_at: datetime, note: str, by: Actor, now: datetime) -> T:
    """Publish the draft as it was seen. Raises ``InvalidInput`` when it has changed since or would be in vain, and as
    ``terms.publish``.
    """
    row = _locked(cls)
    if row is None or seal(row.values) != seen:
        raise InvalidInput(_("The draft has changed meanwhile. Nothing was published; please look at it again."))
    _refuse_if_in_vain(cls, row.values, starts_at)
    after = house_terms.publish(cls, row.values, starts_at=starts_at, note=note, by=by, now=now)
    db.session.delete(row)
    db.session.flush()
    return after


def _refuse_if_in_vain(cls: type, values: Mapping[str, Any], starts_at: datetime) -> None:
    """What holds then anyway takes nothing back that starts later: nobody shall believe that it did."""
    house_terms.forget()
    later: list[house_terms.Edition[Any]] = house_terms.to_come(cls, starts_at)
    if later and house_terms.made(cls, values) == house_terms.at(cls, starts_at).terms:
        raise InvalidInput(
            _(
                "This is what holds then anyway, and version %(number)s would still start on %(moment)s. To keep it"
                " from starting, publish this draft from that very moment on, or take that version back.",
                number=later[0].version,
                moment=formats.moment(later[0].starts_at),
            )
        )


def _locked(cls: type) -> TermsDraft | None:
    """Locked, so that of two people who save or publish at once the second sees what the first did."""
    which = sa.select(TermsDraft).where(TermsDraft.domain == house_terms.domain_of(cls))
    return db.session.scalars(lock(LockOrder.DRAFT, which)).one_or_none()
