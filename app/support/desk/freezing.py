"""Freezing a member's points at the desk, and lifting the freeze: with a reason, a note and an audit entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.audit import AuditEntry
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.foundation.terms import current
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger import queries
from app.support.desk.terms import DeskTerms

if TYPE_CHECKING:
    from app.identity.members.models import Member

FREEZE, UNFREEZE = "wallet.freeze", "wallet.unfreeze"

audit.describe("member", _l("Member"), {FREEZE: _l("Account frozen"), UNFREEZE: _l("Freeze lifted")})


def freeze_points(*, member: Member, reason: str, note: str, by: Actor, now: datetime) -> bool:
    """``False``, with nothing written, where a colleague was faster. Raises ``InvalidInput``."""
    if reason not in current(DeskTerms).freeze_reasons:
        raise InvalidInput(_("Please choose a reason from the list."))
    _need(note)
    if not ledger.freeze(member_id=member.id, reason=reason, now=now):
        return False
    _record(FREEZE, member, {"frozen": False}, {"frozen": True, "reason": reason, "note": note}, by=by, now=now)
    return True


def lift_freeze(*, member: Member, note: str, by: Actor, now: datetime) -> bool:
    """``False``, with nothing written, where nothing is frozen (any more). Raises ``InvalidInput``."""
    _need(note)
    frozen = queries.freeze_of(member.id)
    if not ledger.unfreeze(member_id=member.id):
        return False
    reason = frozen.reason if frozen else ""
    _record(UNFREEZE, member, {"frozen": True, "reason": reason}, {"frozen": False, "note": note}, by=by, now=now)
    return True


def _need(note: str) -> None:
    if not note.strip():
        raise InvalidInput(_("Please write down why, for your colleagues."))


def _record(
    action: str, member: Member, before: dict[str, object], after: dict[str, object], *, by: Actor, now: datetime
) -> None:
    audit.record(action, subject=("member", member.code, member.label), by=by, now=now, before=before, after=after)


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a colleague wants to know of a freeze."""

    since: datetime
    reason: str
    note: str
    by: str


def frozen(member: Member) -> Frozen | None:
    """``None`` while the member may spend. Who froze it, and their note, stand in the audit log."""
    found = queries.freeze_of(member.id)
    if found is None:
        return None
    entry = db.session.scalar(
        sa.select(AuditEntry)
        .where(
            AuditEntry.subject_kind == "member",
            AuditEntry.subject_id == member.code,
            AuditEntry.action == FREEZE,
            AuditEntry.at == found.since,
        )
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    # A reason that the owner has dropped meanwhile is at least told by its code.
    reason = translated(current(DeskTerms).freeze_reasons.get(found.reason)) or found.reason
    return Frozen(found.since, reason, entry.after.get("note", "") if entry else "", entry.actor_label if entry else "")
