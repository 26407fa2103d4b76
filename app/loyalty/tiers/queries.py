"""The ladder, and where members stand on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from app.foundation import clock
from app.foundation.database import among, any_of, db
from app.foundation.terms import current
from app.loyalty.tiers.figures import monthly, rolling
from app.loyalty.tiers.models import Membership, Tier, TierChange, TierGrant, TierReview
from app.loyalty.tiers.rules import (
    METRICS,
    Figures,
    Keep,
    Requirement,
    Step,
    first_review,
    full_months,
    highest,
    next_review,
    window,
)
from app.loyalty.tiers.terms import LadderTerms, TierTerms

__all__ = [
    "METRICS",
    "ConditionProgress",
    "Figures",
    "HistoryEntry",
    "KeepProgress",
    "LadderTerms",
    "Stand",
    "Step",
    "TierProgress",
    "TierTerms",
    "full_months",
    "grants_ending",
    "highest",
    "history",
    "keeping",
    "ladder",
    "latest_reviews",
    "members_by_tier",
    "members_on",
    "open_grant",
    "progress",
    "standing_at",
    "steps",
    "tiers_of",
    "window",
]

_LADDER = sa.select(Tier).order_by(Tier.rank)


def ladder() -> list[Tier]:
    """All tiers, the first step first."""
    return list(db.session.scalars(_LADDER))


def steps(tiers: Collection[Tier]) -> list[Step]:
    """The ladder as the calculation sees it."""
    return [Step(tier.id, tier.rank, Requirement.parse(tier.conditions), Keep.parse(tier.keep)) for tier in tiers]


def tiers_of(member_ids: Collection[int]) -> dict[int, Tier]:
    """Each member's tier, by one query. A member who was never enrolled is not in it."""
    if not member_ids:
        return {}
    query = (
        sa.select(Membership.member_id, Tier)
        .join(Tier, Tier.id == Membership.tier_id)
        .where(Membership.member_id.in_(member_ids))
    )
    return dict(db.session.execute(query).all())


_PLACES = (
    sa.select(Membership.member_id, Membership.since, Tier)
    .join(Tier, Tier.id == Membership.tier_id)
    .where(among(Membership.member_id, "members"))
)


def tiers_then(asked: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], Tier]:
    """The tier on which each member stood at each moment; before they came, the first step.

    One query, and two more where a moment lies before a member's last move.
    """
    members = {member_id for member_id, _moment in asked}
    rows = db.session.execute(_PLACES, {"members": list(members)})
    places = {member_id: (since, tier) for member_id, since, tier in rows}
    found = {
        (member_id, moment): places[member_id][1]
        for member_id, moment in asked
        if member_id in places and places[member_id][0] <= moment
    }
    earlier = set(asked) - found.keys()
    tiers = {tier.id: tier for tier in ladder()} if earlier else {}
    if not tiers:
        return found
    first = next(iter(tiers.values()))
    steps_of: dict[int, list[tuple[datetime, int | None, int]]] = {}
    columns = (TierChange.member_id, TierChange.at, TierChange.from_tier_id, TierChange.to_tier_id)
    changes = sa.select(*columns).order_by(TierChange.at, TierChange.id)
    for member_id, at, before, after in db.session.execute(
        changes.where(any_of(TierChange.member_id, {member_id for member_id, _moment in earlier}))
    ):
        steps_of.setdefault(member_id, []).append((at, before, after))
    for member_id, moment in earlier:
        mine = steps_of.get(member_id, [])
        until = [after for at, _before, after in mine if at <= moment]
        stood = until[-1] if until else next((before for _at, before, _after in mine), None)
        found[member_id, moment] = tiers.get(stood, first) if stood else first
    return found


@dataclass(frozen=True, slots=True)
class ConditionProgress:
    """One condition of the next tier: how far the member is. Money in minor units."""

    metric: str
    reached: int
    needed: int

    @property
    def missing(self) -> int:
        return max(self.needed - self.reached, 0)

    @property
    def done(self) -> bool:
        return self.missing == 0

    @property
    def share(self) -> float:
        """0 to 1, for a bar."""
        return min(self.reached / self.needed, 1.0)


@dataclass(frozen=True, slots=True)
class TierProgress:
    """``next_tier`` is ``None`` at the top. ``match``: are ``any`` or ``all`` of its conditions asked for?

    ``counts_from`` is the day from which a lowered member climbs anew, as long as it cuts the window short.
    """

    tier: Tier
    since: datetime | None
    next_tier: Tier | None
    match: str
    window_months: int
    conditions: list[ConditionProgress]
    counts_from: date | None = None

    @property
    def nearest(self) -> ConditionProgress | None:
        """The condition to show where there is room for one: the nearest of ``any``, the farthest of ``all``."""
        pick = max if self.match == "any" else min
        return pick(self.conditions, key=lambda each: each.share, default=None)


_HERE = sa.and_(Membership.tier_id == Tier.id, Membership.member_id == sa.bindparam("member"))
_LADDER_WITH_PLACE = sa.select(Tier, Membership).outerjoin(Membership, _HERE).order_by(Tier.rank)


def progress(member_id: int, *, now: datetime) -> TierProgress | None:
    """Where a member stands, and what the next tier still asks for; ``None`` while there is no ladder at all."""
    rows = db.session.execute(_LADDER_WITH_PLACE, {"member": member_id}).all()
    if not rows:
        return None
    tiers = [each for each, _ in rows]
    tier, place = next((row for row in rows if row[1] is not None), (tiers[0], None))
    since, counts_from = (place.since, place.counts_from) if place else (None, None)
    above = next((each for each in tiers if each.rank > tier.rank and each.conditions.get("conditions")), None)
    if above is None:
        return TierProgress(tier, since, None, "any", 12, [])
    (step,) = steps([above])
    asked = step.requirement
    mine = rolling({member_id: counts_from}, [step], now=now)[member_id][asked.window_months]
    conditions = [ConditionProgress(each.metric, mine[each.metric], each.at_least) for each in asked.conditions]
    zone = clock.programme_zone()
    anew = clock.local_date(counts_from, zone) if counts_from else None
    if anew and anew <= window(clock.local_date(now, zone), asked.window_months)[0]:
        anew = None
    return TierProgress(tier, since, above, asked.match, asked.window_months, conditions, anew)


# --- keeping ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeepProgress:
    """What keeps a member's tier at the next review that may lower them.

    ``review`` is its day, and ``months`` the full months that it will look at, of which the last ones may be
    still to come; ``by_month`` has the figures so far. ``safe_until`` is the day of the first review that
    would lower them if nothing more happened: the same day as ``review`` when they have not done enough yet.
    ``protected``: is the tier too new for an earlier review? ``given_until`` is the last day of a tier given by hand.
    """

    tier: Tier
    keep: Keep
    review: date
    months: list[date]
    by_month: list[dict[str, int]]
    safe_until: date
    protected: bool
    given_until: date | None

    @property
    def safe(self) -> bool:
        return self.safe_until > self.review

    @property
    def last_day(self) -> date:
        """The last day that counts for the review."""
        return self.review.replace(day=1) - timedelta(days=1)


def keeping(member_id: int, *, now: datetime) -> KeepProgress | None:
    """``None`` for whoever has nothing to lose: on the first step, or on a tier that is kept for ever."""
    query = (
        sa.select(Tier, Membership.since, TierGrant.last_day)
        .join(Membership, Membership.tier_id == Tier.id)
        .outerjoin(
            TierGrant,
            sa.and_(
                TierGrant.member_id == Membership.member_id,
                TierGrant.tier_id == Membership.tier_id,
                TierGrant.ended_at.is_(None),
            ),
        )
        .where(Membership.member_id == member_id)
    )
    row = db.session.execute(query).one_or_none()
    if row is None:
        return None
    tier, since, given_until = row
    keep, zone, review_day = Keep.parse(tier.keep), clock.programme_zone(), current(TierTerms).review_day
    if tier.rank == 0 or not keep.conditions:
        return None
    regular = next_review(clock.local_date(now, zone), review_day=review_day)
    # A tier that was given is not reviewed; at its end it begins like any other.
    begin = given_until + timedelta(days=1) if given_until else clock.local_date(since, zone)
    month = max(regular, first_review(begin, window_months=keep.window_months))
    found = monthly([member_id], month=month, window_months=keep.window_months, metrics=keep.metrics)[member_id]
    return KeepProgress(
        tier=tier,
        keep=keep,
        review=month.replace(day=review_day),
        months=full_months(month, keep.window_months)[:-1],
        by_month=found,
        safe_until=clock.first_of_month(month, keep.reviews_survived(found)).replace(day=review_day),
        protected=month > regular,
        given_until=given_until,
    )


def open_grant(member_id: int) -> TierGrant | None:
    """The tier that staff gave this member and that has not ended."""
    query = sa.select(TierGrant).where(TierGrant.member_id == member_id, TierGrant.ended_at.is_(None))
    return db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()


# --- the whole programme --------------------------------------------------------------------


def members_by_tier() -> dict[int, int]:
    """How many members stand on each tier, by its id."""
    query = sa.select(Membership.tier_id, sa.func.count()).group_by(Membership.tier_id)
    return dict(db.session.execute(query).all())


def members_on(tier_ids: Collection[int]) -> sa.Select[int]:
    """The ids of all members on these tiers, to be part of another query."""
    return sa.select(Membership.member_id).where(Membership.tier_id.in_(tier_ids))


def members_after(member_id: int, *, limit: int) -> list[int]:
    """The next members on the ladder, by id."""
    query = sa.select(Membership.member_id).where(Membership.member_id > member_id)
    return list(db.session.scalars(query.order_by(Membership.member_id).limit(limit)))


def latest_reviews(*, limit: int = 12) -> list[TierReview]:
    """The reviews so far, the latest one first."""
    return list(db.session.scalars(sa.select(TierReview).order_by(TierReview.month.desc()).limit(limit)))


def grants_ending(*, limit: int = 20) -> tuple[list[tuple[TierGrant, Tier]], int]:
    """The open tiers given by hand that end first, and how many there are in all."""
    query = sa.select(TierGrant, Tier).join(Tier, Tier.id == TierGrant.tier_id).where(TierGrant.ended_at.is_(None))
    rows = db.session.execute(query.order_by(TierGrant.last_day, TierGrant.id).limit(limit)).all()
    total = db.session.scalar(sa.select(sa.func.count()).where(TierGrant.ended_at.is_(None))) or 0
    return [(grant, tier) for grant, tier in rows], total


# --- history ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    change: TierChange
    from_tier: Tier | None
    to_tier: Tier


def history(member_id: int, *, limit: int = 50) -> list[HistoryEntry]:
    """A member's way up (and down) the ladder, newest first."""
    before, after = aliased(Tier), aliased(Tier)
    query = (
        sa.select(TierChange, before, after)
        .outerjoin(before, before.id == TierChange.from_tier_id)
        .join(after, after.id == TierChange.to_tier_id)
        .where(TierChange.member_id == member_id)
        .order_by(TierChange.at.desc(), TierChange.id.desc())
        .limit(limit)
    )
    return [HistoryEntry(*row) for row in db.session.execute(query)]


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a member stood at a moment. ``floor_id`` is the tier on which their climb began.

    ``lowered`` is the month of the last review that lowered them.
    """

    tier_id: int
    since: datetime
    floor_id: int
    lowered: date | None


def standing_at(member_ids: Collection[int], moment: datetime) -> dict[int, Stand]:
    """Where members stood just before a moment, by their histories; those who had none yet are left out."""
    climbing = TierChange.reason.in_(("upgrade", "return"))
    last = (
        sa.select(
            TierChange.member_id,
            sa.func.max(TierChange.id).label("change"),
            sa.func.max(sa.case((~climbing, TierChange.id))).label("floor"),
            sa.func.max(sa.case((TierChange.reason == "review", TierChange.month))).label("lowered"),
        )
        .where(any_of(TierChange.member_id, member_ids), TierChange.at < moment)
        .group_by(TierChange.member_id)
        .subquery()
    )
    change, floor = aliased(TierChange), aliased(TierChange)
    query = (
        sa.select(last.c.member_id, change.to_tier_id, change.at, floor.to_tier_id, last.c.lowered)
        .join(change, change.id == last.c.change)
        .outerjoin(floor, floor.id == last.c.floor)
    )
    return {row[0]: Stand(row[1], row[2], row[3] or row[1], row[4]) for row in db.session.execute(query)}
