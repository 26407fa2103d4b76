"""Who invites, whom they brought, and how far those friends have come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from app.engagement.referrals.models import Inviter, KnownDevice, Referral
from app.engagement.referrals.rules import Spent, code_of, looks_like_code, spent_of
from app.engagement.referrals.terms import ReferralTerms
from app.foundation import clock
from app.foundation.database import db
from app.foundation.listing import Part, part_of
from app.foundation.money import Money, minor_units, programme_currency
from app.foundation.terms import current
from app.identity import invitations
from app.loyalty.purchases.queries import Bought, bought_by
from app.mall.orders.queries import returnable

# --- inviters -----------------------------------------------------------------------------


def code_of_member(member_id: int) -> str | None:
    """The member's referral code; ``None`` until they first needed it."""
    return db.session.scalar(sa.select(Inviter.code).where(Inviter.member_id == member_id))


def inviter_of(code: str) -> int | None:
    """Whose code this is, however it was typed."""
    normal = code_of(code)
    if not looks_like_code(normal):
        return None
    return db.session.scalar(sa.select(Inviter.member_id).where(Inviter.code == normal))


@invitations.recognises
def is_known(code: str) -> bool:
    return inviter_of(code) is not None


def device_known(member_id: int, device: str) -> bool:
    found = sa.select(KnownDevice.member_id).where(KnownDevice.member_id == member_id, KnownDevice.device == device)
    return db.session.scalar(found) is not None


def devices_of(member_id: int) -> int:
    """How many browsers are known to be this member's."""
    count = sa.select(sa.func.count()).select_from(KnownDevice).where(KnownDevice.member_id == member_id)
    return db.session.scalar(count) or 0


def device_belongs_to_circle(device: str, inviter_id: int) -> bool:
    """Did the inviter, or a friend that they brought before, use this browser?"""
    friends = sa.select(Referral.friend_id).where(Referral.inviter_id == inviter_id)
    found = sa.select(KnownDevice.member_id).where(
        KnownDevice.device == device, (KnownDevice.member_id == inviter_id) | KnownDevice.member_id.in_(friends)
    )
    return db.session.scalar(found.limit(1)) is not None


def was_brought_by(member_id: int, candidate_id: int) -> bool:
    """Does the chain of those who brought ``member_id``, however long, lead to ``candidate_id``?"""
    first = sa.select(Referral.inviter_id.label("member_id")).where(Referral.friend_id == member_id)
    chain = first.cte("chain", recursive=True)
    # UNION rather than UNION ALL: it ends even if the chain should ever close.
    chain = chain.union(sa.select(Referral.inviter_id).join(chain, Referral.friend_id == chain.c.member_id))
    return db.session.scalar(sa.select(chain.c.member_id).where(chain.c.member_id == candidate_id)) is not None


# --- what is offered ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation promises to who joins by it now."""

    inviter_points: int
    friend_points: int
    least_spend: Money
    within_days: int
    wait_days: int
    monthly_cap: int


def offer() -> Offer:
    terms, currency = current(ReferralTerms), programme_currency()
    return Offer(
        inviter_points=terms.inviter_points,
        friend_points=terms.friend_points,
        least_spend=Money(terms.least_spend * minor_units(currency), currency),
        within_days=terms.within_days,
        wait_days=terms.wait_days,
        monthly_cap=terms.monthly_cap,
    )


def link_period() -> timedelta:
    """How long a browser remembers whose link it followed."""
    return current(ReferralTerms).link_period


# --- referrals ----------------------------------------------------------------------------


def referrals_of(inviter_id: int, *, after: str | None = None, limit: int = 20) -> Part[Referral]:
    """The friends whom a member brought, the latest first."""
    return part_of(
        sa.select(Referral).where(Referral.inviter_id == inviter_id), keys=[Referral.id], after=after, limit=limit
    )


def referral_of_friend(friend_id: int) -> Referral | None:
    return db.session.scalar(sa.select(Referral).where(Referral.friend_id == friend_id))


def awaiting(state: str, *, joined_since: datetime, after: int, limit: int) -> Sequence[int]:
    """Ids of the referrals in this state, the oldest first."""
    query = sa.select(Referral.id).where(
        Referral.state == state, Referral.id > after, Referral.joined_at >= joined_since
    )
    return db.session.scalars(query.order_by(Referral.id).limit(limit)).all()


def spent_by_friends(referrals: Sequence[Referral], *, now: datetime) -> dict[int, Spent]:
    """Referral id → how far the friend has come, by a handful of queries for all of them."""
    if not referrals:
        return {}
    wait = current(ReferralTerms).wait
    purchases: dict[int, list[Bought]] = {each.friend_id: [] for each in referrals}
    since, until = min(each.joined_at for each in referrals), max(each.spend_by for each in referrals)
    for purchase in bought_by(purchases.keys(), since=since, until=until):
        purchases[purchase.member_id].append(purchase)
    numbers = {each.order_no for bought in purchases.values() for each in bought} if wait else set()
    open_orders = returnable(numbers)
    return {
        each.id: spent_of(
            purchases[each.friend_id],
            since=each.joined_at,
            until=each.spend_by,
            certain_by=now - wait,
            returnable=open_orders,
        )
        for each in referrals
    }


def month_of(moment: datetime) -> date:
    """The first day of the programme's month, in which rewards are counted."""
    return clock.local_date(moment, clock.programme_zone()).replace(day=1)


def places_taken(inviter_ids: Collection[int], month: date) -> dict[int, int]:
    """Inviter → how many of their invitations were rewarded in this month."""
    query = (
        sa.select(Referral.inviter_id, sa.func.max(Referral.place))
        .where(Referral.inviter_id.in_(inviter_ids), Referral.month == month)
        .group_by(Referral.inviter_id)
    )
    return {inviter_id: place or 0 for inviter_id, place in db.session.execute(query)}


@dataclass(frozen=True, slots=True)
class Totals:
    friends: int
    rewarded: int
    points: int
    this_month: int


def totals_of(inviter_id: int, *, now: datetime) -> Totals:
    """What a member's invitations came to, by one query."""
    rewarded = Referral.state == "rewarded"
    row = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(rewarded),
            sa.func.coalesce(sa.func.sum(Referral.inviter_points).filter(rewarded), 0),
            sa.func.count().filter(Referral.month == month_of(now)),
        ).where(Referral.inviter_id == inviter_id)
    ).one()
    return Totals(*map(int, row))


def standing_of(inviter_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Inviter → how many friends they brought, and how many of them were refused."""
    query = (
        sa.select(Referral.inviter_id, sa.func.count(), sa.func.count().filter(Referral.state == "refused"))
        .where(Referral.inviter_id.in_(inviter_ids))
        .group_by(Referral.inviter_id)
    )
    return {inviter_id: (friends, refused) for inviter_id, friends, refused in db.session.execute(query)}


def for_review(
    *,
    state: str = "",
    reason: str = "",
    member_ids: Collection[int] | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Part[Referral]:
    """All referrals, the latest first; with ``member_ids`` those in which one of these members takes part."""
    query = sa.select(Referral)
    if state:
        query = query.where(Referral.state == state)
    if reason:
        query = query.where(Referral.reason == reason)
    if member_ids is not None:
        query = query.where(Referral.inviter_id.in_(member_ids) | Referral.friend_id.in_(member_ids))
    return part_of(query, keys=[Referral.id], after=after, limit=limit)
