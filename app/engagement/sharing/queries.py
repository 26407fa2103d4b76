"""Whose links were followed, and what they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.engagement.sharing.models import ShareVisit
from app.foundation.database import db
from app.mall.catalog.queries import product_by_slug

if TYPE_CHECKING:
    from app.mall.catalog.models import Product

PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Thing:
    """What can be shared: the programme, or a product of the mall."""

    code: str
    slug: str | None = None
    product: Product | None = None


def thing_of(slug: str | None, *, now: datetime) -> Thing | None:
    """The programme without a ``slug``; a product that is on the shelves, else ``None``."""
    if slug is None:
        return Thing(PROGRAMME)
    product = product_by_slug(slug, now=now)
    return Thing(f"product:{product.id}", slug, product) if product else None


def followers(member_id: int, *, day: date) -> dict[str, int]:
    """Thing → how many browsers followed the member's link to it on this day."""
    counts = (
        sa.select(ShareVisit.thing, sa.func.count())
        .where(ShareVisit.member_id == member_id, ShareVisit.day == day)
        .group_by(ShareVisit.thing)
    )
    return dict(db.session.execute(counts).all())
