"""Inviting, being brought, and paying both when the friend has shopped."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.engagement.referrals import queries
from app.engagement.referrals.events import ReferralsRewarded
from app.engagement.referrals.explanations import why
from app.engagement.referrals.models import Inviter, KnownDevice, Referral
from app.engagement.referrals.rules import ALPHABET, LENGTH, mailbox
from app.engagement.referrals.terms import ReferralTerms
from app.foundation.database import LockOrder, db, insert_new, lock
from app.foundation.events import publish
from app.foundation.money import programme_currency
from app.foundation.points import Points
from app.foundation.terms import current
from app.identity.members.queries import member_by_id
from app.loyalty.ledger import actions as ledger

MOST_DEVICES = 50

# --- inviting -----------------------------------------------------------------------------


def open_inviter(*, member_id: int, now: datetime) -> str:
    """The member's referral code, made when it is first needed. Safe to run twice and in parallel."""
    while (code := queries.code_of_member(member_id)) is None:
        # A code that is taken keeps the row out as well; then another one is drawn.
        insert_new(
            Inviter, [{"member_id": member_id, "code": new_code(), "since": now}], unless=[], returning=[Inviter.code]
        )
    return code


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def remember_device(*, member_id: int, device: str, now: datetime) -> None:
    """This browser is one of the member's. After ``MOST_DEVICES`` no more are kept: somebody empties a cookie jar."""
    if queries.devices_of(member_id) >= MOST_DEVICES:
        return
    row = {"member_id": member_id, "device": device, "since": now}
    insert_new(KnownDevice, [row], unless=["member_id", "device"], returning=[KnownDevice.member_id])


# --- being brought ------------------------------------------------------------------------


def bind(*, friend_id: int, code: str | None, device: str | None, now: datetime) -> bool:
    """Somebody joined: write down who brought them, on the terms of today. ``False`` where nobody did.

    What may not count is written down too, with its reason. An unknown code changes nothing: joining never
    fails for it. Doing it again changes nothing, and neither does another code later.
    """
    inviter_id = queries.inviter_of(code) if code else None
    bound = inviter_id not in (None, friend_id) and _bind(friend_id, inviter_id, device, now=now)
    if device:
        remember_device(member_id=friend_id, device=device, now=now)
    return bound


def _bind(friend_id: int, inviter_id: int, device: str | None, *, now: datetime) -> bool:
    offer, reason = queries.offer(), _refusal(friend_id, inviter_id, device, now=now)
    row = {
        "friend_id": friend_id,
        "inviter_id": inviter_id,
        "state": "refused" if reason else "joined",
        "reason": reason,
        "joined_at": now,
        "spend_by": now + current(ReferralTerms).within,
        "least_spend": offer.least_spend.amount,
        "inviter_points": offer.inviter_points,
        "friend_points": offer.friend_points,
        "settled_at": now if reason else None,
    }
    return bool(insert_new(Referral, [row], unless=["friend_id"], returning=[Referral.id]))


def _refusal(friend_id: int, inviter_id: int, device: str | None, *, now: datetime) -> str | None:
    """Why this invitation cannot count; ``None`` when it can.

    Payment cards are not compared yet: no gateway tells us of them. They will be another line here.
    """
    friend, inviter = member_by_id(friend_id), member_by_id(inviter_id)
    assert friend is not None
    assert inviter is not None
    if friend.email and inviter.email and mailbox(friend.email) == mailbox(inviter.email):
        return "contact"
    if queries.was_brought_by(inviter_id, friend_id):
        return "loop"
    if friend.created_at < now:
        return "existing"  # An imported member who claims what is theirs was a customer before.
    if device and queries.device_belongs_to_circle(device, inviter_id):
        return "device"
    return None


# --- paying -------------------------------------------------------------------------------


def settle(*, referral_ids: Collection[int], now: datetime) -> int:
    """Pay those whose friend has spent enough; let those lapse that cannot get there any more.

    Returns how many were rewarded.

    The inviters are locked first, and what was read before is read again: of two that qualify at the same moment,
    only one takes the last place of the month. Publishes ``ReferralsRewarded``.
    """
    referrals = _open(referral_ids)
    spent = queries.spent_by_friends(referrals, now=now)
    there = [each.id for each in referrals if spent[each.id].certain >= each.least_spend]
    _let_lapse(
        [each.id for each in referrals if _out_of_reach(each, spent[each.id].certain + spent[each.id].waiting, now)],
        now=now,
    )
    if not there:
        return 0
    _lock_inviters({each.inviter_id for each in referrals if each.id in set(there)})
    return _reward(_open(there), now=now)


def _open(referral_ids: Iterable[int]) -> Sequence[Referral]:
    """Those that are still to be decided, the oldest first, as they stand in the database now."""
    query = sa.select(Referral).where(Referral.id.in_(referral_ids), Referral.state.in_(("joined", "lapsed")))
    return db.session.scalars(query.order_by(Referral.id).execution_options(populate_existing=True)).all()


def _out_of_reach(referral: Referral, spent: int, now: datetime) -> bool:
    return referral.state == "joined" and now >= referral.spend_by and spent < referral.least_spend


def _let_lapse(referral_ids: Sequence[int], *, now: datetime) -> None:
    if referral_ids:
        which = sa.update(Referral).where(Referral.id.in_(referral_ids), Referral.state == "joined")
        db.session.execute(
            which.values(state="lapsed", settled_at=now), execution_options={"synchronize_session": False}
        )


def _lock_inviters(member_ids: Collection[int]) -> None:
    which = sa.select(Inviter.member_id).where(Inviter.member_id.in_(member_ids)).order_by(Inviter.member_id)
    db.session.execute(lock(LockOrder.REFERRAL, which)).all()


def _reward(referrals: Sequence[Referral], *, now: datetime) -> int:
    """Over the month's cap the inviter gets nothing; the friend was promised theirs and gets it all the same."""
    month, cap = queries.month_of(now), current(ReferralTerms).monthly_cap
    taken = queries.places_taken({each.inviter_id for each in referrals}, month)
    awards: list[ledger.Award] = []
    for each in referrals:
        place = taken.get(each.inviter_id, 0) + 1
        each.settled_at = now
        if place > cap:
            each.state, each.reason = "refused", "cap"
        else:
            each.state, each.month, each.place = "rewarded", month, place
            taken[each.inviter_id] = place
            awards += _award(each, "inviter", each.inviter_id, each.inviter_points, now=now)
        awards += _award(each, "friend", each.friend_id, each.friend_points, now=now)
    db.session.flush()  # Before the wallets: the constraint on places is the last line.
    if awards:
        ledger.award_many(awards, now=now)
        publish(ReferralsRewarded(tuple(sorted({each.member_id for each in awards})), now))
    return sum(each.state == "rewarded" for each in referrals)


def _award(referral: Referral, role: str, member_id: int, points: int, *, now: datetime) -> list[ledger.Award]:
    if not points:
        return []
    facts: dict[str, Any] = {
        "referral_id": referral.id,
        "least_spend": referral.least_spend,
        "currency": programme_currency(),
        "days": (referral.spend_by - referral.joined_at).days,
        "place": referral.place or 0,
    }
    return [
        ledger.Award(
            member_id=member_id,
            amount=Points(points),
            key=f"referral:{referral.friend_id}:{role}",
            kind="referral",
            explanation=why(role, **facts),
            occurred_at=now,
        )
    ]
