"""Gifts: what a member can claim and has claimed, and claiming it. Once per series and period, says the database."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock
from app.foundation.actors import Actor
from app.foundation.database import db, insert_new
from app.foundation.errors import DomainError, NotFound
from app.foundation.events import publish
from app.foundation.points import Points
from app.loyalty.benefits.events import GiftClaimed
from app.loyalty.benefits.explanations import why_gift
from app.loyalty.benefits.holding import Held, held_then
from app.loyalty.benefits.models import BenefitClaim, Voucher
from app.loyalty.benefits.rules import GIFTS, Benefit, Claimable, claimable
from app.loyalty.ledger import actions as ledger

if TYPE_CHECKING:
    from app.identity.members.models import Member

SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # No 0, 1, I, O: codes are read aloud at a counter.

audit.describe("voucher", _l("Voucher"), {"voucher.redeem": _l("Gift handed out")})


class NothingToClaim(DomainError):
    """The gift is not (or no longer) the member's, or its time is not now."""

    def __init__(self) -> None:
        super().__init__(_("This gift cannot be claimed just now. Nothing was changed."))


class ClaimedBefore(DomainError):
    """Claimed in this period already, perhaps by a second click."""

    def __init__(self) -> None:
        super().__init__(_("You have claimed this gift already. It is yours once."))


class HandedOut(DomainError):
    """A colleague was faster."""

    def __init__(self) -> None:
        super().__init__(_("This gift was handed out already. Nothing was changed."))


# --- reading --------------------------------------------------------------------------------


def now_claimable(mine: Held, *, member_id: int, born: date | None, now: datetime) -> list[Claimable]:
    """What a member who holds these benefits can claim and has not: one query, none where there is nothing."""
    today = clock.local_date(now, clock.programme_zone())
    offered = claimable(mine.benefits, mine.holder, born, today, mine.edition.terms.birthdays)
    if not offered:
        return []
    done = sa.select(BenefitClaim.series, BenefitClaim.period).where(
        BenefitClaim.member_id == member_id, BenefitClaim.period.in_({each.period for each in offered})
    )
    claimed = {(series, period) for series, period in db.session.execute(done)}
    return [each for each in offered if (each.benefit.series, each.period) not in claimed]


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was claimed, with its vouchers."""

    claim: BenefitClaim
    vouchers: Sequence[Voucher] = ()


def claimed_by(member_id: int, *, limit: int = 24) -> list[Claimed]:
    """What a member has claimed, the latest first: two queries."""
    which = sa.select(BenefitClaim).where(BenefitClaim.member_id == member_id)
    claims = list(db.session.scalars(which.order_by(BenefitClaim.id.desc()).limit(limit)))
    if not claims:
        return []
    hers = sa.select(Voucher).where(Voucher.claim_id.in_([claim.id for claim in claims]))
    by_claim: dict[int, list[Voucher]] = {}
    for voucher in db.session.scalars(hers.order_by(Voucher.claim_id, Voucher.position)):
        by_claim.setdefault(voucher.claim_id, []).append(voucher)
    return [Claimed(claim, by_claim.get(claim.id, [])) for claim in claims]


def open_vouchers(member_id: int) -> list[Voucher]:
    """What staff can still hand out to this member."""
    which = sa.select(Voucher).where(Voucher.member_id == member_id, Voucher.redeemed_at.is_(None))
    return list(db.session.scalars(which.order_by(Voucher.id)))


# --- claiming -------------------------------------------------------------------------------


def claim(*, member: Member, code: str, period: str, now: datetime) -> Claimed:
    """Claim a gift that the member holds at this moment. Points are theirs at once; other things get a code each.

    Raises ``NothingToClaim`` and ``ClaimedBefore``. Publishes ``GiftClaimed``.
    """
    ledger.queue_up([member.id])  # First, as whoever moves points does: parallel clicks come one after the other.
    [mine] = held_then([(member.id, now)], GIFTS)
    today = clock.local_date(now, clock.programme_zone())
    offered = claimable(mine.benefits, mine.holder, member.birth_date, today, mine.edition.terms.birthdays)
    wanted = next((each for each in offered if (each.benefit.code, each.period) == (code, period)), None)
    if wanted is None:
        raise NothingToClaim
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
    return Claimed(made, vouchers)


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


def hand_out(*, member: Member, voucher_code: str, by: Actor, now: datetime) -> Voucher:
    """A colleague hands the gift out; once. Audited. Raises ``NotFound`` and ``HandedOut``."""
    code = "".join(sign for sign in voucher_code.upper() if sign in SIGNS)  # However it was typed.
    which = sa.select(Voucher).where(Voucher.member_id == member.id, Voucher.code == code)
    voucher = db.session.scalars(which.with_for_update().execution_options(populate_existing=True)).one_or_none()
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
