"""Finding a member, and everything an agent wants to see of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.engagement.checkin import queries as checkin
from app.foundation import clock
from app.foundation.audit import AuditEntry
from app.foundation.database import db
from app.foundation.listing import Part
from app.identity.members import queries as members
from app.identity.names import clean
from app.identity.units.queries import unit_names
from app.loyalty.ledger import queries as ledger
from app.loyalty.ledger.statements import Line, lines_of
from app.loyalty.purchases import queries as purchases
from app.loyalty.tiers import queries as tiers
from app.mall.orders import queries as orders

if TYPE_CHECKING:
    from app.engagement.checkin.models import CheckIn
    from app.identity.members.models import Address, Member
    from app.loyalty.ledger.queries import OpenLot, Standing
    from app.loyalty.purchases.models import Purchase
    from app.loyalty.tiers.models import Tier
    from app.loyalty.tiers.queries import HistoryEntry, TierProgress
    from app.mall.orders.models import Order

FEW = 10
LONGEST_ORDER_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Hit:
    member: Member
    tier: Tier | None


def search(text: str, *, limit: int) -> list[Hit]:
    """Members by phone, email, name, member code or order number, whichever was typed."""
    words = clean(text)[:100]
    found: list[Member] = []
    if words and len(words) <= LONGEST_ORDER_NUMBER:
        order = orders.office_order(words.upper(), units=None)
        owner = members.member_by_id(order.member_id) if order else None
        found = [owner] if owner else []
    known = {member.id for member in found}
    found += [member for member in members.search(words, limit) if member.id not in known]
    return with_tiers(found[:limit])


def newest(*, after: str | None, limit: int) -> Part[Hit]:
    """Members in the order of joining, the latest first."""
    part = members.newest(after=after, limit=limit)
    return Part(with_tiers(part.items), part.after)


def with_tiers(found: Sequence[Member]) -> list[Hit]:
    standing = tiers.tiers_of([member.id for member in found])
    return [Hit(member, standing.get(member.id)) for member in found]


@dataclass(frozen=True, slots=True)
class Picture:
    """A member from all sides. Lists hold the latest few."""

    address: Address | None
    standing: Standing
    lots: list[OpenLot]
    units: Mapping[int, Mapping[str, str]]
    lines: list[Line]
    progress: TierProgress | None
    tier_history: list[HistoryEntry]
    orders: Sequence[Order]
    purchases: list[Purchase]
    check_ins: list[CheckIn]
    streak: int
    changes: list[AuditEntry]


def picture(member: Member, *, now: datetime) -> Picture:
    """A fixed number of queries, whatever the member's history."""
    units = unit_names()
    today: date = clock.local_date(now, clock.programme_zone())
    return Picture(
        address=members.default_address(member.id),
        standing=ledger.standing(member.id, now=now),
        lots=ledger.open_lots(member.id, limit=FEW),
        units=units,
        lines=lines_of(ledger.history(member.id, limit=FEW), units=units),
        progress=tiers.progress(member.id, now=now),
        tier_history=tiers.history(member.id, limit=FEW),
        orders=orders.orders_of(member.id, limit=FEW).items,
        purchases=purchases.recent(member.id, limit=FEW),
        check_ins=checkin.recent(member.id, limit=FEW),
        streak=checkin.streak(member.id, today=today),
        changes=changes_of(member, limit=FEW),
    )


def changes_of(member: Member, *, limit: int) -> list[AuditEntry]:
    """What staff did to this member, newest first."""
    query = sa.select(AuditEntry).where(AuditEntry.subject_kind == "member", AuditEntry.subject_id == member.code)
    return list(db.session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))
