"""Putting a balance right."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit
from app.foundation.actors import Actor
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.formats import points as figure
from app.foundation.points import Points
from app.foundation.terms import current
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger import queries
from app.support.desk.explanations import correcting
from app.support.desk.terms import DeskTerms

if TYPE_CHECKING:
    from app.identity.members.models import Member


audit.describe("member", _l("Member"), {"balance.adjust": _l("Balance adjusted")})


class AboveLimit(DomainError):
    """More than one person may decide alone."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            _(
                "One adjustment can move up to %(limit)s points. Nothing was booked.",
                limit=figure(limit),
            )
        )


class BalanceMoved(DomainError):
    """The balance that was shown for confirmation is no longer the balance."""

    def __init__(self) -> None:
        super().__init__(_("The balance has changed meanwhile. Nothing was booked; please look at the new figures."))


@dataclass(frozen=True, slots=True)
class Adjusted:
    """``created`` is false when nothing was booked now: before the booking, or when the same form came again."""

    before: Points
    after: Points
    created: bool


def preview_adjustment(*, member: Member, amount: Points, now: datetime) -> Adjusted:
    """What an adjustment by ``amount`` would do; nothing is booked. Raises ``AboveLimit``, ``InsufficientPoints``."""
    _check_limit(amount)
    standing = queries.standing(member.id, now=now)
    if amount < Points(0) and standing.available + amount < Points(0):
        raise ledger.InsufficientPoints(needed=-amount, available=max(standing.available, Points(0)))
    before = standing.available + standing.held
    return Adjusted(before, before + amount, created=False)


def _check_limit(amount: Points) -> None:
    limit = current(DeskTerms).adjustment_limit
    if abs(amount.value) > limit:
        raise AboveLimit(limit)


def adjust_balance(
    *,
    member: Member,
    amount: Points,
    reason: str,
    note: str,
    form_key: str,
    by: Actor,
    now: datetime,
    expected: Points | None = None,
) -> Adjusted:
    """Book a signed correction once per ``form_key``, with an audit entry; never below zero.

    With ``expected`` it is booked only if the balance still is what the person at the desk
    saw. Raises ``InvalidInput``, ``AboveLimit``, ``BalanceMoved``, and what the ledger raises.
    """
    texts = current(DeskTerms).reasons.get(reason)
    if texts is None:
        raise InvalidInput(_("Please choose a reason from the list."))
    if not note.strip():
        raise InvalidInput(_("Please write down why, for your colleagues."))
    _check_limit(amount)
    posting = ledger.adjust(
        member_id=member.id,
        amount=amount,
        key=f"adjustment:{form_key}",
        explanation=correcting(code=reason, reason=texts),
        now=now,
    )
    if not posting.created:
        return _as_booked(member.id, posting.transfer_id, amount)
    # Read under the wallet's lock. What has expired, written off or not, is no part of either figure.
    standing = queries.standing(member.id, now=now)
    after = standing.available + standing.held
    done = Adjusted(after - amount, after, created=True)
    if expected is not None and done.before != expected:
        raise BalanceMoved
    audit.record(
        "balance.adjust",
        subject=("member", member.code, member.label),
        by=by,
        now=now,
        before={"balance": done.before.value},
        after={"balance": done.after.value, "amount": amount.value, "reason": reason, "note": note},
    )
    return done


def _as_booked(member_id: int, transfer_id: int, amount: Points) -> Adjusted:
    transfer = queries.transfer_of(member_id, transfer_id)
    if transfer is None:
        raise LookupError(f"Transfer {transfer_id} was booked before, but not for member {member_id}.")
    after = Points(transfer.balance_after)
    return Adjusted(after - amount, after, created=False)
