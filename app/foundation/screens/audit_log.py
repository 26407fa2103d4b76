"""The audit log: who changed what, when, with before and after. Nobody can change it here, or anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.foundation import clock
from app.foundation.audit import AuditEntry, action_label, kind_label
from app.foundation.database import db
from app.foundation.listing import first_url, next_url, part_of
from app.foundation.pages import page
from app.foundation.permissions import Permission, requires

audit_log = Blueprint("audit", __name__, url_prefix="/audit")

PAGE = 50
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Change:
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it is shown."""

    at: datetime
    actor: str
    actor_url: str
    action: str
    tone: str
    subject: str
    subject_kind: str
    subject_url: str
    address: str
    request_id: str
    changes: list[Change]


@audit_log.get("")
@requires(Permission.AUDIT_READ)
def index() -> ResponseReturnValue:
    wanted = {name: request.args.get(name, "").strip()[:80] for name in ("actor", "action", "subject", "from", "to")}
    part = part_of(_statement(wanted), keys=[AuditEntry.at, AuditEntry.id], after=request.args.get("after"), limit=PAGE)
    actions = db.session.scalars(sa.select(AuditEntry.action).distinct().order_by(AuditEntry.action))
    return page(
        "backoffice/audit/index.html",
        entries=[_shown(entry) for entry in part.items],
        actions=[(action, action_label(action)) for action in actions],
        wanted=wanted,
        filtered=any(wanted.values()),
        next_url=next_url(part),
        first_url=first_url(),
    )


def _statement(wanted: dict[str, str]) -> sa.Select[AuditEntry]:
    statement = sa.select(AuditEntry)
    if actor := wanted["actor"]:
        statement = statement.where(AuditEntry.actor_label.icontains(actor, autoescape=True))
    if action := wanted["action"]:
        statement = statement.where(AuditEntry.action == action)
    if subject := wanted["subject"]:
        fits = [AuditEntry.subject_label.icontains(subject, autoescape=True), AuditEntry.subject_id == subject]
        kind, colon, identifier = subject.partition(":")
        if colon:
            fits.append(sa.and_(AuditEntry.subject_kind == kind, AuditEntry.subject_id == identifier))
        statement = statement.where(sa.or_(*fits))
    zone = clock.programme_zone()
    if day := _day(wanted["from"]):
        statement = statement.where(AuditEntry.at >= clock.start_of(day, zone))
    if day := _day(wanted["to"]):
        statement = statement.where(AuditEntry.at < clock.end_of(day, zone))
    return statement


def _day(text: str) -> date | None:
    """A date that has a day before and after it in any timezone; nonsense filters nothing."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(1900, 1, 1) < day < date(9000, 1, 1) else None


def _shown(entry: AuditEntry) -> Entry:
    old, new = entry.before, entry.after
    names = dict.fromkeys([*old, *new])
    return Entry(
        at=entry.at,
        actor=entry.actor_label,
        actor_url=url_for("backoffice.audit.index", actor=entry.actor_label),
        action=action_label(entry.action),
        tone=_tone(entry.action),
        subject=entry.subject_label or entry.subject_id,
        subject_kind=kind_label(entry.subject_kind),
        subject_url=url_for("backoffice.audit.index", subject=f"{entry.subject_kind}:{entry.subject_id}"),
        address=entry.address or "",
        request_id=entry.request_id or "",
        changes=[Change(name.replace("_", " "), _side(old, name), _side(new, name)) for name in names],
    )


def _side(facts: dict[str, Any], name: str) -> str:
    """Nothing where there was nothing before, or where the thing itself is gone after."""
    return _text(facts[name]) if name in facts else ""


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return " · ".join(f"{key}: {_text(part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(_text(part) for part in value)
    return str(value)


TONES = {"create": "brand", "adjust": "gold", "password": "gold", "archived": "danger", "cancelled": "danger"}


def _tone(action: str) -> str:
    return TONES.get(action.rpartition(".")[2], "neutral")
