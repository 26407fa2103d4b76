"""Who held which benefit at a moment: by tier, by tag, or given by hand. A handful of queries for many people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import among, db
from app.foundation.terms import Edition, at
from app.identity.tags.queries import tags_then
from app.loyalty.benefits.models import BenefitGrant
from app.loyalty.benefits.rules import Benefit, Given, Holder, Kind, held
from app.loyalty.benefits.terms import BenefitTerms
from app.loyalty.tiers.queries import tiers_then

if TYPE_CHECKING:
    from app.loyalty.tiers.models import Tier

Moment = tuple[int, datetime]  # A member and a moment.


@dataclass(frozen=True, slots=True)
class Held:
    """A member's tier and benefits at a moment, by the ``edition`` of the programme that was in force."""

    edition: Edition[BenefitTerms]
    tier: Tier | None = None
    benefits: tuple[Benefit, ...] = ()
    holder: Holder = field(default_factory=Holder)


def held_then(asked: Sequence[Moment], kinds: Collection[Kind] | None = None) -> list[Held]:
    """What each member held at each moment, as far as it is of these kinds; no query where no such benefit is."""
    terms = [at(BenefitTerms, moment) for _member_id, moment in asked]
    wanted = {
        edition.version: [each for each in edition.terms.all if kinds is None or each.kind in kinds]
        for edition in terms
    }
    every = [benefit for benefits in wanted.values() for benefit in benefits]
    if not every:
        return [Held(edition) for edition in terms]
    tiers = tiers_then(set(asked))
    holders = holders_then(asked, every, tiers)
    zone = clock.programme_zone()
    return [
        Held(
            edition,
            tiers.get(each),
            tuple(held(wanted[edition.version], holder, each[1].astimezone(zone).replace(tzinfo=None))),
            holder,
        )
        for each, edition, holder in zip(asked, terms, holders, strict=True)
    ]


def holders_then(asked: Sequence[Moment], benefits: Iterable[Benefit], tiers: dict[Moment, Tier]) -> list[Holder]:
    """The same people as the rules see them. Tags are read only where some benefit asks for one."""
    benefits = list(benefits)
    tags = tags_then(set(asked)) if any(benefit.tags for benefit in benefits) else {}
    given = _given_then(asked, {benefit.code for benefit in benefits})
    return [
        Holder(
            tier=tiers[each].code if each in tiers else None,
            tags=tags.get(each, frozenset()),
            given=given.get(each, {}),
        )
        for each in asked
    ]


_GRANTS = (
    sa.select(BenefitGrant)
    .where(among(BenefitGrant.member_id, "members"), among(BenefitGrant.code, "codes"))
    .order_by(BenefitGrant.id)
)


def _given_then(asked: Sequence[Moment], codes: Collection[str]) -> dict[Moment, dict[str, list[Given]]]:
    by_member: dict[int, list[BenefitGrant]] = {}
    members = {member_id for member_id, _moment in asked}
    for grant in db.session.scalars(_GRANTS, {"members": list(members), "codes": list(codes)}):
        by_member.setdefault(grant.member_id, []).append(grant)
    given: dict[Moment, dict[str, list[Given]]] = {}
    for member_id, moment in asked if by_member else ():
        mine = given[member_id, moment] = {}
        for grant in by_member.get(member_id, ()):
            if is_valid(grant, moment):
                mine.setdefault(grant.code, []).append(Given(grant.id, grant.last_day))
    return given


def is_valid(grant: BenefitGrant, moment: datetime) -> bool:
    """Does what was given by hand count at this moment?"""
    today = clock.local_date(moment, clock.programme_zone())
    ended = grant.ended_at is not None and grant.ended_at <= moment
    return grant.given_at <= moment and grant.first_day <= today <= grant.last_day and not ended
