"""What members would like to have one day, and what they looked at."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from app.foundation.database import db, insert_new, table_of
from app.mall.catalog.models import RecentlySeen, Wish

MOST_SEEN = 20
SLACK = 10  # Old ones are forgotten some at a time.


def wish(*, member_id: int, product_id: int, now: datetime) -> bool:
    """Remember a product; ``False`` when it was remembered before. A second click changes nothing."""
    row = {"member_id": member_id, "product_id": product_id, "at": now}
    return bool(insert_new(Wish, [row], unless=["member_id", "product_id"], returning=[Wish.product_id]))


def unwish(*, member_id: int, product_id: int) -> bool:
    """Forget a wish; ``False`` when there was none."""
    wished = sa.delete(Wish).where(Wish.member_id == member_id, Wish.product_id == product_id)
    return db.session.execute(wished).rowcount > 0  # type: ignore[attr-defined]


def note_seen(*, member_id: int, product_id: int, seen_before: int, now: datetime) -> None:
    """A member looks at a product. ``seen_before`` is how many others are remembered: beyond some, the oldest go."""
    table = table_of(RecentlySeen)
    insert = (sqlite if db.session().connection().dialect.name == "sqlite" else postgresql).insert(table)
    look = insert.values(member_id=member_id, product_id=product_id, at=now)
    db.session.execute(
        look.on_conflict_do_update(index_elements=["member_id", "product_id"], set_={"at": look.excluded.at})
    )
    if seen_before >= MOST_SEEN + SLACK:
        _forget_old(member_id)


def _forget_old(member_id: int) -> None:
    mine = RecentlySeen.member_id == member_id
    kept = sa.select(RecentlySeen.product_id).where(mine).order_by(RecentlySeen.at.desc()).limit(MOST_SEEN).subquery()
    db.session.execute(
        sa.delete(RecentlySeen)
        .where(mine, RecentlySeen.product_id.not_in(sa.select(kept.c.product_id)))
        .execution_options(synchronize_session=False)
    )
