"""Who would not stand where they stand without what has come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.loyalty.tiers.figures import monthly, rolling
from app.loyalty.tiers.ladder import Move, reach_evidence
from app.loyalty.tiers.models import Membership, TierChange, TierGrant
from app.loyalty.tiers.rules import Step, highest


def undone(standing: Mapping[int, Membership], ladder: Sequence[Step], *, month: date, now: datetime) -> list[Move]:
    """Moves of those members who neither reach nor keep their tier any more, to the highest that they still reach.

    Nobody falls below the tier from which their present climb began: that one was theirs
    before. Who stands on a tier given by hand stays there until its end.
    """
    if not standing:
        return []
    rank_of = {step.tier_id: step.rank for step in ladder}
    at_rank = {step.rank: step for step in ladder}
    given = _given_by_hand(standing)
    suspects = {
        member_id: place
        for member_id, place in standing.items()
        if rank_of[place.tier_id] > 0 and given.get(member_id) != place.tier_id
    }
    floors = _floors(suspects)
    by_member = rolling({member_id: place.counts_from for member_id, place in suspects.items()}, ladder, now=now)
    keepers = _keepers(suspects, at_rank, rank_of, month=month)
    falls = []
    for member_id, place in suspects.items():
        rank, mine = rank_of[place.tier_id], by_member[member_id]
        reached = highest(ladder, mine, above=0)
        target = max(reached.rank if reached else 0, rank_of.get(floors.get(member_id, 0), 0))
        if target < rank and member_id not in keepers:
            asked = at_rank[rank].requirement
            evidence = reach_evidence(asked, mine[asked.window_months])
            falls.append(Move(member_id, place.tier_id, at_rank[target].tier_id, "return", evidence))
    return falls


def _given_by_hand(member_ids: Collection[int]) -> dict[int, int]:
    query = sa.select(TierGrant.member_id, TierGrant.tier_id)
    rows = db.session.execute(query.where(any_of(TierGrant.member_id, member_ids), TierGrant.ended_at.is_(None)))
    return dict(rows.all())


def _floors(member_ids: Collection[int]) -> dict[int, int]:
    """The tier on which each member stood before the purchases of their present climb lifted them."""
    settled = (
        sa.select(sa.func.max(TierChange.id))
        .where(any_of(TierChange.member_id, member_ids), TierChange.reason.not_in(("upgrade", "return")))
        .group_by(TierChange.member_id)
    )
    rows = db.session.execute(sa.select(TierChange.member_id, TierChange.to_tier_id).where(TierChange.id.in_(settled)))
    return dict(rows.all())


def _keepers(
    standing: Mapping[int, Membership], at_rank: Mapping[int, Step], rank_of: Mapping[int, int], *, month: date
) -> set[int]:
    """Those who keep their tier by what they did over its last full months."""
    by_tier: defaultdict[int, list[int]] = defaultdict(list)
    for member_id, place in standing.items():
        by_tier[place.tier_id].append(member_id)
    keepers: set[int] = set()
    for tier_id, member_ids in by_tier.items():
        keep = at_rank[rank_of[tier_id]].keep
        if keep.conditions:
            found = monthly(member_ids, month=month, window_months=keep.window_months, metrics=keep.metrics)
            keepers |= {member_id for member_id, by_month in found.items() if keep.kept(by_month)}
    return keepers
