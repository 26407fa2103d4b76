"""What members' benefits are worth at a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import UTCDateTime, db, fetch
from app.foundation.terms import at as terms_at
from app.foundation.terms import current
from app.identity.tags.queries import tags_of
from app.identity.units.queries import all_units
from app.loyalty.benefits.holding import Held, held_then, holders_then
from app.loyalty.benefits.models import BenefitClaim, BenefitGrant, Voucher
from app.loyalty.benefits.rules import (
    GIFTS,
    Benefit,
    Claimable,
    Done,
    Given,
    Holder,
    Kind,
    best,
    claimable,
    held,
    unclaimed,
)
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.tiers.queries import tiers_then

if TYPE_CHECKING:
    from app.identity.members.models import Member
    from app.loyalty.tiers.models import Tier

__all__ = [
    "GIFTS",
    "NOBODY",
    "Benefit",
    "BenefitTerms",
    "Claimable",
    "Claimed",
    "Holder",
    "Kind",
    "Multiplier",
    "Perks",
    "Received",
    "Shopping",
    "best",
    "extra_return_days",
    "gifts_waiting",
    "held",
    "holders_then",
    "multiplier_of_tier",
    "multipliers",
    "perks",
]


@dataclass(frozen=True, slots=True)
class Multiplier:
    """``times`` so many points, and why: the tier's name, or the benefit's."""

    name: Mapping[str, str]
    times: Fraction


@dataclass(frozen=True, slots=True)
class Shopping:
    """A member who buys something of a unit at a moment."""

    member_id: int
    unit_code: str
    at: datetime


def multipliers(asked: Sequence[Shopping]) -> list[Multiplier | None]:
    """The best points multiplier for each, as it was at its moment; a handful of queries for all together."""
    had = held_then([(each.member_id, each.at) for each in asked], [Kind.MULTIPLIER])
    return [_multiplier(mine.tier, mine.benefits, each.unit_code) for each, mine in zip(asked, had, strict=True)]


def _multiplier(tier: Tier | None, benefits: Sequence[Benefit], unit_code: str) -> Multiplier | None:
    benefit = best(benefits, Kind.MULTIPLIER, unit_code)
    if benefit is None or benefit.value == 1:
        return None
    named = tier.name if tier is not None and tier.code in benefit.tiers else benefit.name
    return Multiplier(named, benefit.value)


def multiplier_of_tier(tier_code: str, unit_code: str, at: datetime) -> Fraction | None:
    """What anybody on this tier has their points multiplied by in this unit; ``None`` where nothing is."""
    published = terms_at(BenefitTerms, at).terms
    local = at.astimezone(clock.programme_zone()).replace(tzinfo=None)
    benefit = best(held(published.all, Holder(tier=tier_code), local), Kind.MULTIPLIER, unit_code)
    return benefit.value if benefit and benefit.value != 1 else None


def benefit_names(at: datetime) -> dict[str, Mapping[str, str]]:
    """The benefits that there are at a moment: code → name by language."""
    return {benefit.code: benefit.name for benefit in terms_at(BenefitTerms, at).terms.all}


@dataclass(frozen=True, slots=True)
class Perks:
    """What a member may count on. The best one of a kind counts; a unit is asked for by its id.

    ``tier_rank`` is -1 for a visitor, who stands below the first step. ``beyond`` are those benefits that they have
    whatever their tier is: by a tag, or by hand.
    """

    tier_rank: int = -1
    benefits: tuple[Benefit, ...] = ()
    units: Mapping[int, str] = field(default_factory=dict)
    beyond: tuple[Benefit, ...] = ()
    tier: Tier | None = None

    def multiplier(self, unit_code: str) -> Multiplier | None:
        """What their points are multiplied by in a unit."""
        return _multiplier(self.tier, self.benefits, unit_code)

    def discount(self, unit_id: int) -> int:
        """Percent off the money in this unit, 0 to 100."""
        return self._number(Kind.DISCOUNT, unit_id)

    def early_access_days(self, unit_id: int) -> int:
        """How many days before everybody else."""
        return self._number(Kind.EARLY_ACCESS, unit_id)

    def extra_return_days(self, unit_id: int) -> int:
        return self._number(Kind.RETURN_WINDOW, unit_id)

    def extra_warranty_months(self, unit_id: int) -> int:
        return self._number(Kind.WARRANTY, unit_id)

    def free_delivery(self, unit_id: int) -> bool:
        return self._best(Kind.FREE_DELIVERY, unit_id) is not None

    def opens_tiers(self, unit_id: int) -> bool:
        """May they have what this unit keeps for tiers, wherever they stand? A tier itself opens only its own."""
        return best(self.beyond, Kind.TIER_ONLY, self.units.get(unit_id)) is not None

    def priority_delivery(self, unit_id: int) -> bool:
        return self._best(Kind.PRIORITY_DELIVERY, unit_id) is not None

    @property
    def dedicated_agent(self) -> bool:
        return self._any(Kind.DEDICATED_AGENT)

    @property
    def event_priority(self) -> bool:
        return self._any(Kind.EVENT_PRIORITY)

    def _number(self, kind: Kind, unit_id: int) -> int:
        benefit = self._best(kind, unit_id)
        return benefit.number if benefit else 0

    def _best(self, kind: Kind, unit_id: int) -> Benefit | None:
        return best(self.benefits, kind, self.units.get(unit_id))

    def _any(self, kind: Kind) -> bool:
        return any(benefit.kind is kind for benefit in self.benefits)


NOBODY = Perks()


def perks(member_id: int | None, at: datetime) -> Perks:
    """What a member may count on at a moment: three queries, one more each where benefits ask for tags or units.

    ``None`` is a visitor, and costs none.
    """
    if member_id is None:
        return NOBODY
    [mine] = held_then([(member_id, at)])
    tier = mine.tier or tiers_then([(member_id, at)]).get((member_id, at))
    anywhere = replace(mine.holder, tier=None)
    beyond = tuple(benefit for benefit in mine.benefits if anywhere.has(benefit))
    return Perks(tier.rank if tier else 0, mine.benefits, _unit_codes(mine.benefits), beyond, tier)


def _unit_codes(benefits: Sequence[Benefit]) -> dict[int, str]:
    return {unit.id: unit.code for unit in all_units()} if any(benefit.units for benefit in benefits) else {}


@dataclass(frozen=True, slots=True)
class Received:
    """Something of a unit that a member received at a moment."""

    member_id: int
    unit_id: int
    at: datetime


def extra_return_days(asked: Sequence[Received]) -> list[int]:
    """How many days longer each may be returned, by what the member held when it was received."""
    had = held_then([(each.member_id, each.at) for each in asked], [Kind.RETURN_WINDOW])
    units = _unit_codes([benefit for mine in had for benefit in mine.benefits])
    return [
        Perks(benefits=mine.benefits, units=units).extra_return_days(each.unit_id)
        for each, mine in zip(asked, had, strict=True)
    ]


def gifts_waiting(member: Member, *, tier: str | None, now: datetime) -> list[Claimable]:
    """The gifts that a member, who stands on this tier now, can claim: one query more than the page needs anyway."""
    terms = current(BenefitTerms)
    gifts = [benefit for benefit in terms.all if benefit.kind in GIFTS]
    if not gifts:
        return []
    zone = clock.programme_zone()
    tags = frozenset(each.tag for each in tags_of(member.id)) if any(benefit.tags for benefit in gifts) else frozenset()
    given, done = _given_and_claimed(member.id, now)
    holder = Holder(tier, tags, given)
    mine = held(gifts, holder, now.astimezone(zone).replace(tzinfo=None))
    offered = claimable(mine, holder, member.birth_date, clock.local_date(now, zone), terms.birthdays)
    return unclaimed(offered, done, now)


def _given_and_claimed(member_id: int, now: datetime) -> tuple[dict[str, list[Given]], list[Done]]:
    today = clock.local_date(now, clock.programme_zone())
    grants: dict[str, list[Given]] = {}
    done = []
    for id_, word, period, last_day, at in fetch(_GIVEN_AND_CLAIMED, {"member": member_id, "now": now, "today": today}):
        if id_:
            grants.setdefault(word, []).append(Given(id_, last_day))
        else:
            done.append(Done(word, period, at))
    return grants, done


_MEMBER: sa.BindParameter[int] = sa.bindparam("member")
_TODAY = sa.bindparam("today", type_=sa.Date)
_GIVEN_AND_CLAIMED: sa.CompoundSelect[Any] = sa.union_all(
    sa.select(
        BenefitGrant.id,
        BenefitGrant.code.label("word"),
        sa.literal_column("''").label("period"),
        BenefitGrant.last_day,
        BenefitGrant.given_at,
    ).where(
        BenefitGrant.member_id == _MEMBER,
        BenefitGrant.given_at <= sa.bindparam("now", type_=UTCDateTime()),
        BenefitGrant.first_day <= _TODAY,
        BenefitGrant.last_day >= _TODAY,
        BenefitGrant.ended_at.is_(None),
    ),
    sa.select(
        sa.literal_column("0"),
        BenefitClaim.series,
        BenefitClaim.period,
        sa.cast(sa.null(), sa.Date),
        BenefitClaim.claimed_at,
    ).where(BenefitClaim.member_id == _MEMBER),
)


def now_claimable(mine: Held, *, member_id: int, born: date | None, now: datetime) -> list[Claimable]:
    """What a member who holds these benefits can claim and has not: one query, none where there is nothing."""
    offered = offered_gifts(mine, born=born, now=now)
    return unclaimed(offered, claims_beside(offered, member_id=member_id), now)


def offered_gifts(mine: Held, *, born: date | None, now: datetime) -> list[Claimable]:
    """The gifts whose time it is for a member who holds these benefits, claimed or not."""
    today = clock.local_date(now, clock.programme_zone())
    return claimable(mine.benefits, mine.holder, born, today, mine.edition.terms.birthdays)


def claims_beside(offered: Sequence[Claimable], *, member_id: int) -> list[Done]:
    """What a member has claimed of the series of these gifts; no query for none."""
    if not offered:
        return []
    mine = sa.select(BenefitClaim.series, BenefitClaim.period, BenefitClaim.claimed_at).where(
        BenefitClaim.member_id == member_id, BenefitClaim.series.in_({each.benefit.series for each in offered})
    )
    return [Done(*row) for row in db.session.execute(mine)]


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


def is_unclaimed(*, member_id: int, key: str) -> bool:
    """Was no gift claimed of what was given by rule under keys that begin with this one?"""
    mine = sa.select(BenefitGrant).where(BenefitGrant.member_id == member_id, BenefitGrant.ended_at.is_(None))
    return not claimed_of(db.session.scalars(mine.where(BenefitGrant.key.startswith(key, autoescape=True))).all())


def claimed_of(grants: Sequence[BenefitGrant]) -> bool:
    """Was a gift claimed that one person has by these grants, all theirs?

    What comes every month or year is claimed once, however somebody has it: that counts, too.
    """
    if not grants:
        return False
    own = BenefitClaim.period.in_([f"given-{grant.id}" for grant in grants])
    again = sa.and_(BenefitClaim.period != "once", BenefitClaim.period.not_like("given-%"))
    which = sa.select(BenefitClaim.id).where(
        BenefitClaim.member_id == grants[0].member_id,
        BenefitClaim.code.in_({grant.code for grant in grants}),
        BenefitClaim.claimed_at >= min(grant.given_at for grant in grants),
        sa.or_(own, again),
    )
    return db.session.scalar(which.limit(1)) is not None


def open_vouchers(member_id: int) -> list[Voucher]:
    """What staff can still hand out to this member."""
    which = sa.select(Voucher).where(Voucher.member_id == member_id, Voucher.redeemed_at.is_(None))
    return list(db.session.scalars(which.order_by(Voucher.id)))


def grants_of(member_id: int, *, limit: int = 50) -> Sequence[BenefitGrant]:
    """What was given to one person, the latest first."""
    which = sa.select(BenefitGrant).where(BenefitGrant.member_id == member_id)
    return db.session.scalars(which.order_by(BenefitGrant.id.desc()).limit(limit)).all()
