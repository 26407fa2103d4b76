"""Move members up the ladder, and down after a return; give a tier by hand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.foundation import audit, clock, terms
from app.foundation.actors import Actor
from app.foundation.database import any_of, db, insert_new
from app.foundation.errors import InvalidInput
from app.foundation.events import publish
from app.foundation.languages import translated
from app.foundation.terms import current
from app.loyalty.tiers import queries
from app.loyalty.tiers.events import TiersLowered, TiersRaised
from app.loyalty.tiers.figures import rolling
from app.loyalty.tiers.ladder import (
    Move,
    install_defaults,
    lock_standing,
    move,
    put_up,
    reach_evidence,
    remember,
    the_ladder,
    told,
    why_needed,
)
from app.loyalty.tiers.models import Membership, TierGrant
from app.loyalty.tiers.returns import undone
from app.loyalty.tiers.rules import Step, highest
from app.loyalty.tiers.terms import LadderTerms, TierTerms, default_ladder

if TYPE_CHECKING:
    from app.identity.members.models import Member

__all__ = [
    "count_returns",
    "default_ladder",
    "end_due_grants",
    "end_grant",
    "enrol",
    "follow_ladder",
    "give_tier",
    "install_defaults",
    "ladder_published",
    "review_upgrades",
]

LONGEST_GRANT_YEARS = 3

audit.describe(
    "tier", _l("Tier"), {"tier.assign": _l("Tier given by hand"), "tier.unassign": _l("Tier given by hand ended")}
)


def follow_ladder(*, now: datetime) -> bool:
    """Let the ladder be what its terms say now; ``False`` when it is already, or when nobody has ever published any.

    A tier that is still in use when a version without it begins stays. Nobody is moved: see ``review_upgrades``.
    """
    return terms.latest(LadderTerms) > 1 and put_up(terms.at(LadderTerms, now).terms)


def ladder_published(*, version: int, starts_at: datetime, now: datetime) -> None:
    """A version of the ladder was published: put it up if it has begun. Raises ``InvalidInput`` if it leaves out a
    tier that is in use."""
    published = {each.version: each.terms for each in terms.editions(LadderTerms)}
    named = {entry["code"] for entry in published[version].tiers}
    for tier in queries.ladder():
        if tier.code not in named and (refusal := why_needed(tier)):
            raise InvalidInput(refusal)
    if starts_at <= now:
        follow_ladder(now=now)


def enrol(member_ids: Collection[int], *, now: datetime) -> None:
    """Put new members on the first step; whoever stands on the ladder already stays where they are."""
    first = the_ladder()[0]
    rows = [
        {"member_id": member_id, "tier_id": first.id, "since": now, "recheck": False}
        for member_id in sorted(set(member_ids))
    ]
    enrolled = insert_new(Membership, rows, unless=["member_id"], returning=[Membership.member_id])
    remember([Move(member_id, None, first.id, "enrolled") for (member_id,) in enrolled], now=now)


def review_upgrades(member_ids: Collection[int], *, now: datetime) -> None:
    """Raise those of these members who have reached a higher tier, at once and over several steps if need be.

    Never lowers anybody. Whatever the number of members, the statements are a handful.
    Publishes ``TiersRaised`` if anybody rose.
    """
    tiers = the_ladder()
    ladder = queries.steps(tiers)
    rank_of = {tier.id: tier.rank for tier in tiers}
    standing = lock_standing(member_ids)
    if newcomers := set(member_ids) - standing.keys():
        enrol(newcomers, now=now)
        standing |= lock_standing(newcomers)
    candidates = {member: place for member, place in standing.items() if rank_of[place.tier_id] < ladder[-1].rank}
    raises = _raises(candidates, ladder, rank_of, now=now)
    if raises:
        move(raises, now=now)
        publish(TiersRaised(told(raises), now))


def _raises(
    standing: Mapping[int, Membership], ladder: Sequence[Step], rank_of: Mapping[int, int], *, now: datetime
) -> list[Move]:
    by_member = rolling({member_id: place.counts_from for member_id, place in standing.items()}, ladder, now=now)
    raises = []
    for member_id, place in standing.items():
        mine = by_member[member_id]
        step = highest(ladder, mine, above=rank_of[place.tier_id])
        if step is not None:
            evidence = reach_evidence(step.requirement, mine[step.requirement.window_months])
            raises.append(Move(member_id, place.tier_id, step.tier_id, "upgrade", evidence))
    return raises


# --- what was bought comes back ---------------------------------------------------------------


def count_returns(member_ids: Collection[int], *, now: datetime) -> None:
    """Something that these members had bought came back: look again, at the next review or, as the terms say, at once.

    At once, whoever no longer reaches their tier falls to the one that they would have without it. Publishes
    ``TiersLowered`` if anybody fell.
    """
    standing = lock_standing(member_ids)
    if current(TierTerms).returns == "review":
        flag = sa.update(Membership).where(any_of(Membership.member_id, standing))
        db.session.execute(flag.values(recheck=True), execution_options={"synchronize_session": False})
        return
    ladder = queries.steps(the_ladder())
    month = clock.local_date(now, clock.programme_zone()).replace(day=1)
    falls = undone(standing, ladder, month=month, now=now)
    if falls:
        move(falls, now=now)
        publish(TiersLowered(told(falls), now))


# --- by hand ------------------------------------------------------------------------------------


def give_tier(*, member: Member, tier_code: str, last_day: date, reason: str, by: Actor, now: datetime) -> None:
    """Let a member stand on a tier up to and including ``last_day``, whatever they have earned. Audited.

    Not below what they have earned. A tier given earlier is replaced. Raises ``InvalidInput``.
    """
    reason = reason.strip()
    _refuse_nonsense(last_day, reason, today=clock.local_date(now, clock.programme_zone()))
    tiers = {tier.id: tier for tier in the_ladder()}
    wanted = next((tier for tier in tiers.values() if tier.code == tier_code), None)
    if wanted is None:
        raise InvalidInput(_("Please choose a tier from the list."))
    enrol([member.id], now=now)
    place = lock_standing([member.id])[member.id]
    earlier = queries.open_grant(member.id)
    before = tiers[place.tier_id]
    own = tiers[earlier.own_tier_id] if earlier and earlier.tier_id == before.id else before
    if wanted.rank < own.rank:
        raise InvalidInput(
            _("This member has earned %(tier)s, which is more. Nothing was changed.", tier=translated(own.name))
        )
    if earlier is not None:
        earlier.ended_at = now
        db.session.flush()  # Only one may be open.
    db.session.add(
        TierGrant(
            member_id=member.id,
            tier_id=wanted.id,
            own_tier_id=own.id,
            reason=reason,
            given_by=by.label,
            given_at=now,
            last_day=last_day,
        )
    )
    given = Move(member.id, before.id, wanted.id, "manual", {"until": last_day.isoformat()})
    if wanted.id == before.id:
        remember([given], now=now)
    else:
        move([given], now=now)
    if wanted.rank > before.rank:
        publish(TiersRaised(told([given]), now))
    audit.record(
        "tier.assign",
        subject=("member", member.code, member.label),
        by=by,
        now=now,
        after={"tier": wanted.code, "from": before.code, "until": last_day.isoformat(), "reason": reason},
    )


def _refuse_nonsense(last_day: date, reason: str, *, today: date) -> None:
    if not reason:
        raise InvalidInput(_("Please write down why, for your colleagues."))
    if last_day < today:
        raise InvalidInput(_("The last day must not be in the past."))
    if last_day.year > today.year + LONGEST_GRANT_YEARS:
        raise InvalidInput(_("Please choose a last day within %(years)s years.", years=LONGEST_GRANT_YEARS))


def end_grant(*, member: Member, by: Actor, now: datetime) -> bool:
    """End a tier given by hand before its last day; False when there is none. Audited."""
    lock_standing([member.id])
    grant = queries.open_grant(member.id)
    if grant is None:
        return False
    _end([grant], now=now)
    after = queries.tiers_of([member.id])[member.id]
    audit.record(
        "tier.unassign", subject=("member", member.code, member.label), by=by, now=now, after={"tier": after.code}
    )
    return True


def end_due_grants(*, now: datetime, limit: int = 500) -> int:
    """End tiers given by hand whose last day is over, some at a time. Returns how many."""
    today = clock.local_date(now, clock.programme_zone())
    due = sa.select(TierGrant).where(TierGrant.ended_at.is_(None), TierGrant.last_day < today)
    members = set(db.session.scalars(due.with_only_columns(TierGrant.member_id).order_by(TierGrant.id).limit(limit)))
    lock_standing(members)
    # Looked at again under the lock: somebody may have ended or prolonged one meanwhile.
    grants = db.session.scalars(
        due.where(TierGrant.member_id.in_(members)).execution_options(populate_existing=True)
    ).all()
    _end(grants, now=now)
    return len(grants)


def _end(grants: Sequence[TierGrant], *, now: datetime) -> None:
    """Whoever still stands on the tier they were given falls to the one they have earned.

    That is the highest whose conditions hold now, and at least the one on which they stood by their own doing when
    it was given. Like everybody who comes to a tier, they have it for a full window before a review looks at them.
    """
    standing = lock_standing([grant.member_id for grant in grants])
    ladder = queries.steps(the_ladder())
    rank_of = {step.tier_id: step.rank for step in ladder}
    at_rank = {step.rank: step.tier_id for step in ladder}
    leaving = [grant for grant in grants if standing[grant.member_id].tier_id == grant.tier_id]
    counts_from = {grant.member_id: standing[grant.member_id].counts_from for grant in leaving}
    by_member = rolling(counts_from, ladder, now=now)
    moves = []
    for grant in leaving:
        own = rank_of[grant.own_tier_id]
        step = highest(ladder, by_member[grant.member_id], above=own)
        rank = min(step.rank if step else own, rank_of[grant.tier_id])
        if step is not None and rank == step.rank:
            window = step.requirement.window_months
            evidence = reach_evidence(step.requirement, by_member[grant.member_id][window])
        else:
            evidence = {}
        moves.append(Move(grant.member_id, grant.tier_id, at_rank[rank], "manual_end", evidence))
    for grant in grants:
        grant.ended_at = now
    db.session.flush()
    move(moves, now=now)
    falls = [each for each in moves if each.from_tier_id != each.to_tier_id]
    if falls:
        publish(TiersLowered(told(falls), now))
