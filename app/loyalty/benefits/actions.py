"""Give benefits to single persons, end them, claim gifts, hand them out, and install what a programme begins with."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, terms
from app.foundation.actors import Actor
from app.foundation.database import LockOrder, any_of, db, insert_new, keep_lock_order, lock
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.events import publish
from app.foundation.languages import translated
from app.foundation.points import Points
from app.identity.names import clean
from app.loyalty.benefits import queries
from app.loyalty.benefits.defaults import default_benefits
from app.loyalty.benefits.errors import ClaimedBefore, HandedOut, NothingToClaim
from app.loyalty.benefits.events import GiftClaimed
from app.loyalty.benefits.explanations import why_gift
from app.loyalty.benefits.holding import held_then
from app.loyalty.benefits.models import LONGEST_REASON, BenefitClaim, BenefitGrant, Voucher
from app.loyalty.benefits.rules import GIFTS, Benefit, unclaimed
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.ledger import actions as ledger

if TYPE_CHECKING:
    from app.identity.members.models import Member

__all__ = [
    "Gift",
    "claim",
    "end_benefit",
    "end_by_rule",
    "give_benefit",
    "give_by_rule",
    "hand_out",
    "install_defaults",
    "take_back_unclaimed",
]

LONGEST_GRANT_YEARS = 3
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # No 0, 1, I, O: codes are read aloud at a counter.

audit.describe(
    "member",
    _l("Member"),
    {"benefit.give": _l("Benefit given by hand"), "benefit.end": _l("Benefit given by hand ended")},
)
audit.describe("voucher", _l("Voucher"), {"voucher.redeem": _l("Gift handed out")})


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
    """Give what rules earn people: for the days of the terms, today included, once per key. Returns how many were new.

    A code that the programme does not know (any more) gives nothing: a rule must not stop a purchase.
    """
    known = terms.at(BenefitTerms, now).terms
    today = clock.local_date(now, clock.programme_zone())
    last_day = today + timedelta(days=known.days_by_rule - 1)
    rows = [
        {
            "member_id": gift.member_id,
            "code": gift.code,
            "first_day": today,
            "last_day": last_day,
            "reason": gift.reason[:LONGEST_REASON],
            "given_by": "",
            "given_at": now,
            "key": gift.key,
        }
        for gift in gifts
        if known.by_code(gift.code)
    ]
    return len(insert_new(BenefitGrant, rows, unless=["key"], returning=[BenefitGrant.id]))


def end_by_rule(keys: Collection[str], *, now: datetime) -> None:
    """The facts behind what rules gave hold no longer, by their keys. What was claimed of it stays claimed."""
    mine = sa.update(BenefitGrant).where(any_of(BenefitGrant.key, keys), BenefitGrant.ended_at.is_(None))
    db.session.execute(mine.values(ended_at=now), execution_options={"synchronize_session": False})


def take_back_unclaimed(*, member_id: int, key: str, now: datetime) -> bool:
    """End what was given by rule under keys that begin with this one; ``False`` where a gift of it was claimed.

    Then nothing ends. What was never given, or ended before, changes nothing. Locks the grants only, and out of the
    written order: whoever claims locks them before anything else.
    """
    mine = BenefitGrant.member_id == member_id, BenefitGrant.key.startswith(key, autoescape=True)
    which = sa.select(BenefitGrant).where(*mine, BenefitGrant.ended_at.is_(None)).order_by(BenefitGrant.id)
    grants = db.session.scalars(which.with_for_update().execution_options(populate_existing=True)).all()
    if queries.claimed_of(grants):
        return False
    end_by_rule([grant.key for grant in grants if grant.key], now=now)
    return True


def end_benefit(*, member: Member, grant_id: int, by: Actor, now: datetime) -> bool:
    """End what was given to one person before its last day; False when it is over already. Audited."""
    mine = sa.select(BenefitGrant).where(BenefitGrant.id == grant_id, BenefitGrant.member_id == member.id)
    grant = db.session.scalars(lock(LockOrder.COUPON, mine)).one_or_none()
    today = clock.local_date(now, clock.programme_zone())
    if grant is None or grant.ended_at is not None or grant.last_day < today:
        return False
    grant.ended_at = now
    db.session.flush()
    audit.record(
        "benefit.end", subject=("member", member.code, member.label), by=by, now=now, after={"code": grant.code}
    )
    return True


# --- claiming -------------------------------------------------------------------------------


def claim(*, member: Member, code: str, period: str, now: datetime) -> queries.Claimed:
    """Claim a gift that the member holds at this moment. Points are theirs at once; other things get a code each.

    Raises ``NothingToClaim`` and ``ClaimedBefore``. Publishes ``GiftClaimed``.
    """
    _hold_grants(member.id)
    ledger.queue_up([member.id])  # First, as whoever moves points does: parallel clicks come one after the other.
    [mine] = held_then([(member.id, now)], GIFTS)
    offered = queries.offered_gifts(mine, born=member.birth_date, now=now)
    wanted = next((each for each in offered if (each.benefit.code, each.period) == (code, period)), None)
    if wanted is None:
        raise NothingToClaim
    if not unclaimed([wanted], queries.claims_beside([wanted], member_id=member.id), now):
        raise ClaimedBefore
    benefit = wanted.benefit
    row = {
        "member_id": member.id,
        "series": benefit.series,
        "period": wanted.period,
        "code": benefit.code,
        "kind": benefit.kind.value,
        "name": dict(benefit.name),
        "points": benefit.points,
        "version": mine.edition.version,
        "claimed_at": now,
    }
    if not insert_new(BenefitClaim, [row], unless=["member_id", "series", "period"], returning=[BenefitClaim.id]):
        raise ClaimedBefore
    if benefit.points:
        ledger.award(
            member_id=member.id,
            amount=Points(benefit.points),
            key=f"benefit:{benefit.series}:{member.id}:{wanted.period}",
            kind="gift",
            explanation=why_gift(
                benefit.name, period=wanted.period, amount=benefit.points, version=mine.edition.version
            ),
            occurred_at=now,
            now=now,
        )
    made = _made(member.id, benefit.series, wanted.period)
    vouchers = _vouchers(made, benefit)
    publish(GiftClaimed(member.id, benefit.code, wanted.period, benefit.points, now))
    return queries.Claimed(made, vouchers)


def _hold_grants(member_id: int) -> None:
    """What was given to the member is not taken back while they claim it."""
    keep_lock_order(LockOrder.COUPON)
    mine = sa.select(BenefitGrant.id).where(BenefitGrant.member_id == member_id, BenefitGrant.ended_at.is_(None))
    db.session.execute(mine.order_by(BenefitGrant.id).with_for_update(read=True))


def _made(member_id: int, series: str, period: str) -> BenefitClaim:
    mine = sa.select(BenefitClaim).where(
        BenefitClaim.member_id == member_id, BenefitClaim.series == series, BenefitClaim.period == period
    )
    return db.session.scalars(mine).one()


def _vouchers(made: BenefitClaim, benefit: Benefit) -> list[Voucher]:
    """One for everything in it that is no points."""
    texts = [dict(gift.text) for gift in benefit.gifts if gift.text]
    vouchers = [
        Voucher(claim_id=made.id, member_id=made.member_id, position=place, what=text, code=_new_code())
        for place, text in enumerate(texts)
    ]
    db.session.add_all(vouchers)
    db.session.flush()
    return vouchers


def _new_code() -> str:
    """Eight signs of 32: a thousand billion of them, so that nobody meets another's by trying."""
    return "".join(secrets.choice(SIGNS) for _sign in range(8))


# --- handing out ----------------------------------------------------------------------------


def hand_out(*, member: Member, voucher_code: str, by: Actor, now: datetime) -> Voucher:
    """A colleague hands the gift out; once. Audited. Raises ``NotFound`` and ``HandedOut``."""
    code = "".join(sign for sign in voucher_code.upper() if sign in SIGNS)  # However it was typed.
    which = sa.select(Voucher).where(Voucher.member_id == member.id, Voucher.code == code)
    voucher = db.session.scalars(lock(LockOrder.COUPON, which)).one_or_none()
    if voucher is None:
        raise NotFound(_("There is no such gift of this member."))
    if voucher.redeemed_at is not None:
        raise HandedOut
    voucher.redeemed_at, voucher.redeemed_by = now, by.label
    db.session.flush()
    audit.record(
        "voucher.redeem",
        subject=("member", member.code, member.label),
        by=by,
        now=now,
        after={"code": voucher.code, "what": voucher.what},
    )
    return voucher
