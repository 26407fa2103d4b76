"""What staff changed, with before and after. Written in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import g, has_request_context, request
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.actors import Actor
from app.foundation.database import BigId, Id, Json, Model, db


class AuditEntry(Model):
    """One change. ``before`` and ``after`` hold only the fields that differ."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        sa.Index(None, "subject_kind", "subject_id"),
        sa.Index(None, "actor_kind", "actor_id"),
    )

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    actor_kind: Mapped[str] = mapped_column(sa.String(10))
    actor_id: Mapped[int | None] = mapped_column(BigId)
    actor_label: Mapped[str] = mapped_column(sa.String(120))
    action: Mapped[str] = mapped_column(sa.String(60), index=True)
    subject_kind: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[str] = mapped_column(sa.String(80))
    subject_label: Mapped[str] = mapped_column(sa.String(200))
    before: Mapped[dict[str, Any]] = mapped_column(Json)
    after: Mapped[dict[str, Any]] = mapped_column(Json)
    request_id: Mapped[str | None] = mapped_column(sa.String(40))
    address: Mapped[str | None] = mapped_column(sa.String(64))


_kinds: dict[str, Any] = {}
_actions: dict[str, Any] = {}


def describe(kind: str, label: Any, actions: Mapping[str, Any]) -> None:
    """Register how a kind of subject and what is done to it read: ``describe("unit", _l("Unit"), {"unit.create": …})``.

    Every domain describes its own; labels are lazy translations.
    """
    _kinds[kind] = label
    _actions.update(actions)


def kind_label(kind: str) -> str:
    return str(_kinds.get(kind, kind))


def action_label(action: str) -> str:
    """``staff.update`` in words; an action that nobody described is shown by its code."""
    return str(_actions.get(action, action))


def record(
    action: str,
    *,
    subject: tuple[str, object, str],
    by: Actor,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry. ``subject`` is (kind, id, label), e.g. ``("product", product.slug, "Green tea")``.

    An edit that changed nothing leaves no entry.
    """
    old, new = dict(before or {}), dict(after or {})
    if before is not None and after is not None:
        changed = {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
        if not changed:
            return
        old, new = ({k: v for k, v in side.items() if k in changed} for side in (old, new))
    kind, identifier, label = subject
    db.session.add(
        AuditEntry(
            at=now,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_label=by.label,
            action=action,
            subject_kind=kind,
            subject_id=str(identifier),
            subject_label=label[:200],
            before=old,
            after=new,
            request_id=g.get("request_id") if has_request_context() else None,
            address=request.remote_addr if has_request_context() else None,
        )
    )
