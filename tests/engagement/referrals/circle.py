"""Short ways to bring friends and let them shop."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.engagement.referrals.actions import open_inviter
from app.engagement.referrals.jobs import revisit_referrals, settle_referrals
from app.engagement.referrals.models import Referral
from app.engagement.referrals.terms import ReferralTerms
from app.foundation.actors import SYSTEM
from app.foundation.database import db, transaction
from app.foundation.terms import change, current
from app.identity.members.actions import add_member
from app.identity.members.models import Member
from app.loyalty.ledger.models import Transfer
from tests.conftest import NOON
from tests.factories import buy

DAY = timedelta(days=1)
LATER = NOON + 8 * DAY  # What was bought at noon counts by then.
_numbers = itertools.count(1)


def code_of(member: Member) -> str:
    with transaction():
        return open_inviter(member_id=member.id, now=NOON)


def join_by(
    inviter: Member | None,
    name: str = "Carol Ng",
    *,
    email: str | None = None,
    device: str | None = None,
    at: datetime = NOON,
) -> Member:
    """Somebody joins, by this member's invitation unless there is none."""
    code = code_of(inviter) if inviter else None
    with transaction():
        return add_member(
            email=email or f"friend{next(_numbers)}@example.com",
            phone=None,
            password_hash="x",
            name=name,
            locale=None,
            invite_code=code,
            device=device,
            now=at,
        )


def spend(member: Member, amount: int, *, unit, at: datetime = NOON, told: datetime | None = None) -> None:
    """``amount`` in fen, bought ``at``, reported then or when it was ``told``."""
    from app.loyalty.earning.actions import record_purchases
    from tests.factories import purchase_report

    number = f"R{next(_numbers)}"
    if told is None:
        buy(member.id, amount, unit=unit, order_no=number, at=at)
        return
    with transaction():
        record_purchases([purchase_report(member.id, amount, unit=unit, order_no=number, occurred_at=at)], now=told)


def settle(now: datetime = LATER) -> int:
    return settle_referrals(now=now)


def revisit(now: datetime) -> int:
    return revisit_referrals(now=now)


def referral_of(friend: Member) -> Referral | None:
    db.session.rollback()
    return db.session.scalar(sa.select(Referral).where(Referral.friend_id == friend.id))


def standing(friend: Member) -> tuple[str, str | None] | None:
    """(State, reason) of the referral that brought this friend."""
    found = referral_of(friend)
    return (found.state, found.reason) if found else None


def earned(member: Member) -> int:
    """Points that invitations brought the member."""
    db.session.rollback()
    keys = sa.select(sa.func.sum(Transfer.amount)).where(
        Transfer.kind == "referral",
        Transfer.wallet_id.in_(sa.text(f"SELECT id FROM wallet WHERE member_id = {member.id}")),
    )
    return int(db.session.scalar(keys) or 0)


def terms(**values: int) -> None:
    """Other terms than the defaults, from now on."""
    with transaction():
        change(ReferralTerms, asdict(current(ReferralTerms)) | values, by=SYSTEM, now=NOON)
