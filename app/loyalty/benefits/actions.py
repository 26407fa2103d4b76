"""Give benefits to single persons, end them, claim gifts, hand them out, and install what a programme begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, terms
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput
from app.foundation.languages import translated
from app.identity.names import clean
from app.loyalty.benefits.defaults import default_benefits
from app.loyalty.benefits.gifts import claim, hand_out
from app.loyalty.benefits.models import LONGEST_REASON, BenefitGrant
from app.loyalty.benefits.rules import Benefit
from app.loyalty.benefits.terms import BenefitTerms

if TYPE_CHECKING:
    from app.identity.members.models import Member

__all__ = ["Gift", "claim", "end_benefit", "give_benefit", "give_by_rule", "hand_out", "install_defaults"]

LONGEST_GRANT_YEARS = 3
DAYS_BY_RULE = 30

audit.describe(
    "member",
    _l("Member"),
    {"benefit.give": _l("Benefit given by hand"), "benefit.end": _l("Benefit given by hand ended")},
)


def install_defaults(*, now: datetime) -> None:
    """Write the benefits a programme begins with down as version 1. May be called again at any time."""
    terms.install(BenefitTerms, now=now, first=terms.made(BenefitTerms, {"benefits": default_benefits()}))
    terms.forget()


def give_benefit(
    *, member: Member, code: str, first_day: date, last_day: date, reason: str, by: Actor, now: datetime
) -> None:
    """Give one person a benefit of the programme, for whomever else it may be. Both days count. Audited.

    It counts from this moment on, not for what has happened today already. Raises ``InvalidInput``.
    """
    reason = clean(reason)[:LONGEST_REASON]
    benefit = _known(code, now)
    _refuse_nonsense(first_day, last_day, reason, today=clock.local_date(now, clock.programme_zone()))
    db.session.add(
        BenefitGrant(
            member_id=member.id,
            code=benefit.code,
            first_day=first_day,
            last_day=last_day,
            reason=reason,
            given_by=by.label,
            given_at=now,
        )
    )
    db.session.flush()
    audit.record(
        "benefit.give",
        subject=("member", member.code, member.label),
        by=by,
        now=now,
        after={
            "benefit": translated(benefit.name),
            "code": benefit.code,
            "from": first_day.isoformat(),
            "until": last_day.isoformat(),
            "reason": reason,
        },
    )


def _known(code: str, now: datetime) -> Benefit:
    benefit = terms.at(BenefitTerms, now).terms.by_code(code)
    if benefit is None:
        raise InvalidInput(_("Please choose a benefit from the list."))
    return benefit


def _refuse_nonsense(first_day: date, last_day: date, reason: str, *, today: date) -> None:
    if not reason:
        raise InvalidInput(_("Please write down why, for your colleagues."))
    if first_day < today:
        raise InvalidInput(_("A benefit begins today or later: what has happened stays as it was."))
    if last_day < first_day:
        raise InvalidInput(_("The last day must not be before the first."))
    if last_day.year > today.year + LONGEST_GRANT_YEARS:
        raise InvalidInput(_("Please choose a last day within %(years)s years.", years=LONGEST_GRANT_YEARS))


@dataclass(frozen=True, slots=True)
class Gift:
    """A benefit that a rule gives somebody; ``key`` names the fact behind it, which gives it once."""

    member_id: int
    code: str
    key: str
    reason: str


def give_by_rule(gifts: Sequence[Gift], *, now: datetime) -> int:
    """Give what rules earn people: for a month from now on, once per key. Returns how many were new.

    A code that the programme does not know (any more) gives nothing: a rule must not stop a purchase.
    """
    known = terms.at(BenefitTerms, now).terms
    today = clock.local_date(now, clock.programme_zone())
    rows = [
        {
            "member_id": gift.member_id,
            "code": gift.code,
            "first_day": today,
            "last_day": today + timedelta(days=DAYS_BY_RULE),
            "reason": gift.reason[:LONGEST_REASON],
            "given_by": "",
            "given_at": now,
            "key": gift.key,
        }
        for gift in gifts
        if known.by_code(gift.code)
    ]
    return len(insert_new(BenefitGrant, rows, unless=["key"], returning=[BenefitGrant.id]))


def end_benefit(*, member: Member, grant_id: int, by: Actor, now: datetime) -> bool:
    """End what was given to one person before its last day; False when it is over already. Audited."""
    mine = sa.select(BenefitGrant).where(BenefitGrant.id == grant_id, BenefitGrant.member_id == member.id)
    grant = db.session.scalars(mine.with_for_update().execution_options(populate_existing=True)).one_or_none()
    today = clock.local_date(now, clock.programme_zone())
    if grant is None or grant.ended_at is not None or grant.last_day < today:
        return False
    grant.ended_at = now
    db.session.flush()
    audit.record(
        "benefit.end", subject=("member", member.code, member.label), by=by, now=now, after={"code": grant.code}
    )
    return True
