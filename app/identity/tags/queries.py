"""Which tags members have, now and earlier."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from app.foundation.database import any_of, db
from app.identity.tags.models import MemberTag


def tags_of(member_id: int) -> list[MemberTag]:
    """What one member has now, in the order of the alphabet."""
    which = sa.select(MemberTag).where(MemberTag.member_id == member_id, MemberTag.removed_at.is_(None))
    return list(db.session.scalars(which.order_by(MemberTag.tag)))


def tags_then(asked: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], frozenset[str]]:
    """The tags that each member had at each moment, by one query."""
    columns = (MemberTag.member_id, MemberTag.tag, MemberTag.given_at, MemberTag.removed_at)
    which = sa.select(*columns).where(any_of(MemberTag.member_id, {member_id for member_id, _moment in asked}))
    by_member: dict[int, list[tuple[str, datetime, datetime | None]]] = {}
    for member_id, tag, given_at, removed_at in db.session.execute(which):
        by_member.setdefault(member_id, []).append((tag, given_at, removed_at))
    return {
        (member_id, moment): frozenset(
            tag
            for tag, given_at, removed_at in by_member.get(member_id, ())
            if given_at <= moment and (removed_at is None or moment < removed_at)
        )
        for member_id, moment in asked
    }


def tags_in_use(*, limit: int = 50) -> list[str]:
    """The tags that most members have, the most frequent first."""
    often = sa.func.count().desc()
    which = sa.select(MemberTag.tag).where(MemberTag.removed_at.is_(None)).group_by(MemberTag.tag)
    return list(db.session.scalars(which.order_by(often, MemberTag.tag).limit(limit)))


def members_tagged(tags: Collection[str], *, besides: sa.Select[int]) -> int:
    """How many members have any of these tags now and are not among those ``besides``; no query for no tags."""
    if not tags:
        return 0
    which = sa.select(sa.func.count(MemberTag.member_id.distinct())).where(
        MemberTag.removed_at.is_(None), MemberTag.tag.in_(tags), MemberTag.member_id.not_in(besides)
    )
    return db.session.scalar(which) or 0
