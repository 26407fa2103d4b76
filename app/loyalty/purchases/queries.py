"""What was bought, and what was kept of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from app.foundation.database import UTCDateTime, among, any_of, db, edge, edges_named, fetch, period_of
from app.foundation.money import programme_currency
from app.foundation.points import Growth, Points
from app.foundation.terms import current
from app.identity.units.queries import unit_by_code
from app.loyalty.purchases.models import Purchase, PurchaseLine, PurchaseReturn
from app.loyalty.purchases.reports import Key, KnownPurchase, ReportedLine
from app.loyalty.purchases.terms import PurchaseTerms


def believed() -> PurchaseTerms:
    """What is believed of a purchase that another system reports."""
    return current(PurchaseTerms)


@dataclass(frozen=True, slots=True)
class Spending:
    """``amount`` in minor units of the programme's currency."""

    amount: int
    purchases: int


def spending(member_ids: Collection[int], *, edges: Sequence[datetime]) -> dict[int, dict[int, Spending]]:
    """What members spent between each two neighbouring ``edges``, the later one excluded: member → period → figures.

    A purchase counts when it took place, whenever it was reported; what came back of it does not
    count, and neither does a purchase of which everything came back. One query, whatever the number of
    members. Periods in which somebody bought nothing are left out.
    """
    if not member_ids:
        return {}
    rows = fetch(_spent(len(edges) - 1), {"members": list(member_ids), **edges_named(edges)})
    found: dict[int, dict[int, Spending]] = {}
    for member, place, amount, purchases in rows:
        mine = found.setdefault(member, {})
        before = mine.get(place, Spending(0, 0))
        mine[place] = Spending(before.amount + int(amount), before.purchases + purchases)
    return found


@cache
def _spent(periods: int) -> sa.CompoundSelect[Any]:
    """Member, period, amount and number of purchases: what was bought, and what came back of it."""
    period = period_of(Purchase.occurred_at, periods)
    within = (Purchase.occurred_at >= edge(0), Purchase.occurred_at < edge(periods))
    mine = among(Purchase.member_id, "members")
    bought = (
        sa.select(Purchase.member_id, period, sa.func.sum(Purchase.amount), sa.func.count())
        .where(mine, *within)
        .group_by(Purchase.member_id, "period")
    )
    returned = sa.func.sum(PurchaseReturn.amount)
    back = (
        sa.select(Purchase.member_id, period, -returned, sa.case((returned == Purchase.amount, -1), else_=0))
        .join(PurchaseReturn, PurchaseReturn.purchase_id == Purchase.id)
        .where(mine, among(PurchaseReturn.member_id, "members"), *within)
        .group_by(Purchase.id)
    )
    return sa.union_all(bought, back)


def recent(member_id: int, *, limit: int) -> list[Purchase]:
    """A member's latest purchases, newest first."""
    query = sa.select(Purchase).where(Purchase.member_id == member_id)
    return list(db.session.scalars(query.order_by(Purchase.occurred_at.desc(), Purchase.id.desc()).limit(limit)))


def categories_sold(*, latest: int = 2_000) -> list[str]:
    """The categories that the latest lines were of, as their sources call them."""
    lines = sa.select(PurchaseLine.category).order_by(PurchaseLine.id.desc()).limit(latest).subquery()
    return [code for code in db.session.scalars(sa.select(lines.c.category).distinct()) if code]


def on_record(keys: Sequence[Key]) -> dict[Key, KnownPurchase]:
    """Purchases with their lines, by two queries."""
    if not keys:
        return {}
    by_unit: dict[int, list[str]] = {}
    for unit_id, order_no in keys:
        by_unit.setdefault(unit_id, []).append(order_no)
    which = sa.or_(*(sa.and_(Purchase.unit_id == unit, Purchase.order_no.in_(nos)) for unit, nos in by_unit.items()))
    purchases = db.session.execute(
        sa.select(
            Purchase.id,
            Purchase.unit_id,
            Purchase.order_no,
            Purchase.member_id,
            Purchase.occurred_at,
            Purchase.currency,
            Purchase.points,
            Purchase.growth,
        ).where(which)
    ).all()
    lines: dict[int, list[ReportedLine]] = {row.id: [] for row in purchases}
    parts = sa.select(
        PurchaseLine.purchase_id, PurchaseLine.category, PurchaseLine.sku, PurchaseLine.quantity, PurchaseLine.amount
    )
    ordered = parts.where(PurchaseLine.purchase_id.in_(lines)).order_by(PurchaseLine.purchase_id, PurchaseLine.position)
    for purchase_id, category, sku, quantity, amount in db.session.execute(ordered):
        lines[purchase_id].append(ReportedLine(category, sku, quantity, amount))
    return {
        (row.unit_id, row.order_no): KnownPurchase(
            row.member_id, row.occurred_at, row.currency, row.points, row.growth, tuple(lines[row.id])
        )
        for row in purchases
    }


def earned_by(*, unit_code: str, order_no: str) -> tuple[Points, Growth] | None:
    """What a purchase on record earned; ``None`` when it is not on record."""
    unit = unit_by_code(unit_code)
    if unit is None:
        return None
    which = sa.and_(Purchase.unit_id == unit.id, Purchase.order_no == order_no)
    found = db.session.execute(sa.select(Purchase.points, Purchase.growth).where(which)).one_or_none()
    return (Points(found.points), Growth(found.growth)) if found else None


@dataclass(frozen=True, slots=True)
class Bought:
    """One purchase. ``amount`` is the money paid and not given back, in minor units of the programme's currency."""

    member_id: int
    unit_id: int
    order_no: str
    occurred_at: datetime
    amount: int


def bought_by(member_ids: Collection[int], *, since: datetime, until: datetime) -> list[Bought]:
    """What members bought in ``[since, until)`` and kept, by one query."""
    back = (
        sa.select(PurchaseReturn.purchase_id, sa.func.sum(PurchaseReturn.amount).label("amount"))
        .where(PurchaseReturn.member_id.in_(member_ids))
        .group_by(PurchaseReturn.purchase_id)
        .subquery()
    )
    kept = Purchase.amount - sa.func.coalesce(back.c.amount, 0)
    query = (
        sa.select(Purchase.member_id, Purchase.unit_id, Purchase.order_no, Purchase.occurred_at, kept)
        .outerjoin(back, back.c.purchase_id == Purchase.id)
        .where(
            Purchase.member_id.in_(member_ids),
            Purchase.occurred_at >= since,
            Purchase.occurred_at < until,
            Purchase.currency == programme_currency(),
        )
    )
    return [Bought(*row[:4], int(row[4])) for row in db.session.execute(query)]


@dataclass(frozen=True, slots=True)
class Kept:
    """One purchase as far as it was kept: ``amount`` in minor units, and the points that it still brings."""

    member_id: int
    occurred_at: datetime
    amount: int
    points: int
    bonuses: tuple[str, ...] = ()


def kept_by(member_ids: Collection[int], *, since: datetime, until: datetime | None) -> list[Kept]:
    """What members bought in ``[since, until)`` and kept, with its points, by one query; wholly returned ones too."""
    back = (
        sa.select(
            PurchaseReturn.purchase_id,
            sa.func.sum(PurchaseReturn.amount).label("amount"),
            sa.func.sum(PurchaseReturn.points).label("points"),
        )
        .where(any_of(PurchaseReturn.member_id, member_ids))
        .group_by(PurchaseReturn.purchase_id)
        .subquery()
    )
    query = (
        sa.select(
            Purchase.member_id,
            Purchase.occurred_at,
            Purchase.amount - sa.func.coalesce(back.c.amount, 0),
            Purchase.points - sa.func.coalesce(back.c.points, 0),
            Purchase.bonuses,
        )
        .outerjoin(back, back.c.purchase_id == Purchase.id)
        .where(any_of(Purchase.member_id, member_ids), Purchase.occurred_at >= since)
    )
    if until is not None:
        query = query.where(Purchase.occurred_at < until)
    return [Kept(row[0], row[1], int(row[2]), int(row[3]), tuple(row[4])) for row in db.session.execute(query)]


# --- everything that was bought, member by member -------------------------------------------


def count_bought(*, since: datetime, until: datetime, known_by: datetime) -> int:
    """How many purchases of ``[since, until)`` were on record at ``known_by``."""
    count = sa.select(sa.func.count()).select_from(Purchase)
    return db.session.scalar(count.where(*_in_time(since, until, known_by))) or 0


def buyers(*, since: datetime, until: datetime, known_by: datetime, after: int, limit: int) -> list[int]:
    """The next members, by id, with such a purchase."""
    query = sa.select(Purchase.member_id).distinct()
    query = query.where(Purchase.member_id > after, *_in_time(since, until, known_by))
    return list(db.session.scalars(query.order_by(Purchase.member_id).limit(limit)))


def _in_time(since: datetime, until: datetime, known_by: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Purchase.occurred_at >= since, Purchase.occurred_at < until, Purchase.recorded_at <= known_by


_SOLD = (
    sa.select(
        Purchase.id,
        Purchase.member_id,
        Purchase.unit_id,
        Purchase.order_no,
        Purchase.occurred_at,
        Purchase.currency,
        Purchase.amount,
        Purchase.points,
        Purchase.growth,
        Purchase.bonuses,
        PurchaseLine.category,
        PurchaseLine.sku,
        PurchaseLine.amount,
    )
    .outerjoin(PurchaseLine, PurchaseLine.purchase_id == Purchase.id)
    .where(
        among(Purchase.member_id, "members"),
        Purchase.occurred_at >= sa.bindparam("since", type_=UTCDateTime()),
        Purchase.occurred_at < sa.bindparam("until", type_=UTCDateTime()),
        Purchase.recorded_at <= sa.bindparam("known_by", type_=UTCDateTime()),
    )
    .order_by(Purchase.member_id, Purchase.occurred_at, Purchase.id, PurchaseLine.position)
)


def sold_to(
    member_ids: Collection[int], *, since: datetime, until: datetime, known_by: datetime
) -> Sequence[tuple[int, int, int, str, datetime, str, int, int, int, list[str], str, str, int]]:
    """What members bought, a row for each line, by one query, in the order of members and time.

    Purchase, member, unit, number, moment, currency, amount, points, growth, bonuses; the line's category, article and
    amount.
    """
    times = {"since": since, "until": until, "known_by": known_by}
    return fetch(_SOLD, {"members": list(member_ids), **times})


def came_back(member_ids: Collection[int], *, known_by: datetime) -> Sequence[sa.Row[int, datetime, int, int, int]]:
    """All that these members gave back: purchase, moment, position of the line, amount and points."""
    query = sa.select(
        PurchaseReturn.purchase_id,
        PurchaseReturn.returned_at,
        PurchaseReturn.position,
        PurchaseReturn.amount,
        PurchaseReturn.points,
    ).where(any_of(PurchaseReturn.member_id, member_ids), PurchaseReturn.returned_at <= known_by)
    return db.session.execute(query.order_by(PurchaseReturn.id)).all()
