"""Everything the home page shows, read with a handful of queries that do not grow with a member's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.engagement.checkin import queries as checkin
from app.foundation import clock
from app.loyalty.benefits.queries import gifts_waiting
from app.loyalty.ledger import queries as ledger
from app.loyalty.ledger.statements import Line, lines_of
from app.loyalty.tiers import queries as tiers
from app.mall.catalog import queries as catalog
from app.mall.orders import queries as orders

if TYPE_CHECKING:
    from app.engagement.checkin.rules import Today
    from app.identity.members.models import Member
    from app.loyalty.benefits.rules import Claimable
    from app.loyalty.ledger.queries import Standing
    from app.loyalty.tiers.queries import TierProgress
    from app.mall.catalog.queries import Pick
    from app.mall.orders.queries import OpenOrder

LINES = 3
ORDERS = 3
PICKS = 4


@dataclass(frozen=True, slots=True)
class Overview:
    standing: Standing
    progress: TierProgress | None
    today: Today
    lines: list[Line]
    orders: list[OpenOrder]
    picks: list[Pick]
    gifts: list[Claimable]


def overview(member: Member, *, now: datetime) -> Overview:
    member_id = member.id
    standing = ledger.standing(member_id, now=now)
    progress = tiers.progress(member_id, now=now)
    return Overview(
        standing=standing,
        progress=progress,
        today=checkin.today(member_id, today=clock.local_date(now, clock.programme_zone())),
        lines=lines_of(ledger.history(member_id, limit=LINES), units={}),
        orders=orders.open_of(member_id, limit=ORDERS),
        picks=catalog.within_reach(standing.available, limit=PICKS, now=now),
        gifts=gifts_waiting(member, tier=progress.tier.code if progress else None, now=now),
    )
