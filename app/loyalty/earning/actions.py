"""Write purchases down, and award what they earn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from flask_babel import gettext as _

from app.foundation.database import db, insert_new
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.events import publish
from app.foundation.money import minor_units
from app.foundation.points import Growth, Points
from app.loyalty.earning import queries
from app.loyalty.earning.events import PurchasesRecorded
from app.loyalty.earning.explanations import why_growth, why_joining, why_purchase
from app.loyalty.earning.models import EarningRule, Purchase, PurchaseLine
from app.loyalty.earning.reports import (
    Key,
    KnownPurchase,
    Outcome,
    PurchaseReport,
    RecordedPurchase,
    ReportedLine,
    difference,
)
from app.loyalty.earning.rules import (
    DEFAULTS,
    GrowthAward,
    PurchaseAward,
    PurchaseRule,
    Spend,
    purchase_growth,
    purchase_points,
)
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.actions import ExpiryPolicy
from app.loyalty.ledger.explanations import lives

__all__ = [
    "LiveFrom",
    "Outcome",
    "PurchaseReport",
    "RecordedPurchase",
    "ReportedLine",
    "award_joining",
    "earn_key",
    "grow_key",
    "install_defaults",
    "mature_purchase",
    "record_purchases",
]

LiveFrom = Literal["import", "purchase"]

# --- rules ------------------------------------------------------------------------------


def install_defaults(*, now: datetime) -> None:
    """Publish version 1 of each kind of rule that has none yet. May be called again at any time."""
    rows = [{"kind": kind, "version": 1, "starts_at": now, "terms": terms} for kind, terms in DEFAULTS.items()]
    insert_new(EarningRule, rows, unless=["kind", "version"], returning=[EarningRule.id])


def _versions(kind: str, *, now: datetime) -> list[EarningRule]:
    """The versions of a rule. A programme that has never published one starts with the defaults."""
    found = queries.versions(kind)
    if not found:
        install_defaults(now=now)
        found = queries.versions(kind)
    return found


# --- purchases --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Valued:
    report: PurchaseReport
    award: PurchaseAward
    growth: GrowthAward
    version: int
    expiry: ExpiryPolicy | None


def record_purchases(
    reports: Sequence[PurchaseReport], *, now: datetime, points_live_from: LiveFrom = "import", pending: bool = False
) -> list[RecordedPurchase]:
    """Record purchases and award their points and growth, with a handful of statements for the whole batch.

    A number that is on record already changes nothing: told again with the same content
    it is ``KNOWN``, with other content ``DIFFERENT``. With ``pending`` both stay on the way until
    ``mature_purchase``. ``points_live_from`` says from when their expiry counts: from now
    (so that a migrated member does not start with expired points) or from the purchase.
    Publishes ``PurchasesRecorded`` once. The answers stand in the order of the reports.
    """
    first: dict[Key, PurchaseReport] = {}
    for report in reports:
        first.setdefault(report.key, report)
    # Sorted, so that two imports of the same file wait for each other instead of in a circle.
    valued = _value([first[key] for key in sorted(first)], now=now)
    ids = _insert(valued, now=now)
    fresh = {each.report.key: each for each in valued if each.report.key in ids}
    _insert_lines(fresh, ids)
    _award(fresh.values(), now=now, points_live_from=points_live_from, pending=pending)
    if fresh:
        members = sorted({each.report.member_id for each in fresh.values()})
        publish(PurchasesRecorded(tuple(members), now))
    on_record = queries.on_record([key for key in first if key not in ids])
    return _outcomes(reports, fresh, on_record)


def _value(reports: Sequence[PurchaseReport], *, now: datetime) -> list[_Valued]:
    """What each purchase earns under the version that was in force when it happened."""
    versions = _versions("purchase", now=now)
    rules = {each.version: (PurchaseRule.parse(each.version, each.terms), _expiry(each.terms)) for each in versions}
    valued = []
    for report in reports:
        if not report.lines:
            raise InvalidInput(_("Purchase %(number)s has no lines.", number=report.order_no))
        rule, expiry = rules[queries.in_force(versions, report.occurred_at).version]
        spends = [Spend(line.amount, line.category, line.sku) for line in report.lines]
        minor = minor_units(report.currency)
        award = purchase_points(spends, rule, unit=report.unit_code, minor_units=minor)
        growth = purchase_growth(spends, rule, minor_units=minor)
        valued.append(_Valued(report, award, growth, rule.version, expiry))
    return valued


def _expiry(terms: Mapping[str, Any]) -> ExpiryPolicy | None:
    """A rule's own expiry; ``None`` where it leaves that to the programme's policy."""
    return ExpiryPolicy.parse(terms["expiry"]) if terms.get("expiry") else None


def _insert(valued: Sequence[_Valued], *, now: datetime) -> dict[Key, int]:
    """The ids of those purchases that were not on record yet."""
    rows = [
        {
            "unit_id": each.report.unit_id,
            "order_no": each.report.order_no,
            "member_id": each.report.member_id,
            "source": each.report.source,
            "currency": each.report.currency,
            "amount": each.report.amount,
            "points": each.award.points,
            "growth": each.growth.growth,
            "occurred_at": each.report.occurred_at,
            "recorded_at": now,
        }
        for each in valued
    ]
    columns = (Purchase.unit_id, Purchase.order_no, Purchase.id)
    inserted = insert_new(Purchase, rows, unless=["unit_id", "order_no"], returning=columns)
    return {(row.unit_id, row.order_no): row.id for row in inserted}


def _insert_lines(fresh: Mapping[Key, _Valued], ids: Mapping[Key, int]) -> None:
    rows = [
        {
            "purchase_id": ids[key],
            "position": position,
            "category": line.category,
            "sku": line.sku,
            "quantity": line.quantity,
            "amount": line.amount,
            "points": share,
        }
        for key, each in fresh.items()
        for position, (line, share) in enumerate(zip(each.report.lines, each.award.shares, strict=True), start=1)
    ]
    if rows:
        db.session.execute(sa.insert(PurchaseLine), rows)


def _award(fresh: Iterable[_Valued], *, now: datetime, points_live_from: LiveFrom, pending: bool) -> None:
    awards = [
        award
        for each in fresh
        for award in _awards(
            each, since=now if points_live_from == "import" else each.report.occurred_at, pending=pending
        )
    ]
    if awards:
        ledger.award_many(awards, now=now)


def _awards(each: _Valued, *, since: datetime, pending: bool) -> Iterator[ledger.Award]:
    """A credit to each ledger. What earns nothing moves nothing: a transfer of 0 would say nothing."""
    report = each.report
    facts: dict[str, Any] = {
        "version": each.version,
        "order_no": report.order_no,
        "unit": report.unit_code,
        "currency": report.currency,
    }
    common: dict[str, Any] = {
        "member_id": report.member_id,
        "kind": "purchase",
        "unit_id": report.unit_id,
        "occurred_at": report.occurred_at,
        "lives_from": since,
        "pending": pending,
    }
    if each.award.points:
        yield ledger.Award(
            amount=Points(each.award.points),
            key=earn_key(report.unit_code, report.order_no),
            explanation=why_purchase(each.award, **facts, life=_life(each.expiry, since)),
            expiry=each.expiry,
            **common,
        )
    if each.growth.growth:
        yield ledger.Award(
            amount=Growth(each.growth.growth),
            key=grow_key(report.unit_code, report.order_no),
            explanation=why_growth(each.growth, **facts),
            **common,
        )


def _life(expiry: ExpiryPolicy | None, since: datetime) -> list[dict[str, Any]]:
    """What the explanation adds where the rule has an expiry of its own."""
    return [lives(expiry, since)] if expiry else []


def earn_key(unit_code: str, order_no: str) -> str:
    """The business key of the points for a purchase."""
    return f"purchase:{unit_code}:{order_no}:earn"


def grow_key(unit_code: str, order_no: str) -> str:
    """The business key of the growth for a purchase."""
    return f"purchase:{unit_code}:{order_no}:grow"


def _outcomes(
    reports: Sequence[PurchaseReport], fresh: Mapping[Key, _Valued], on_record: Mapping[Key, KnownPurchase]
) -> list[RecordedPurchase]:
    """What became of each report. The first one under a new number is what was recorded; later ones are compared."""
    known = {**on_record, **{key: _as_known(each) for key, each in fresh.items()}}
    outcomes, told = [], set()
    for report in reports:
        new = report.key in fresh and report.key not in told
        told.add(report.key)
        there = known[report.key]
        different = "" if new else difference(report, there)
        outcome = Outcome.NEW if new else Outcome.DIFFERENT if different else Outcome.KNOWN
        outcomes.append(RecordedPurchase(report, outcome, Points(there.points), Growth(there.growth), different))
    return outcomes


def _as_known(each: _Valued) -> KnownPurchase:
    report = each.report
    return KnownPurchase(
        report.member_id, report.occurred_at, report.currency, each.award.points, each.growth.growth, report.lines
    )


# --- later ------------------------------------------------------------------------------


def mature_purchase(*, unit_code: str, order_no: str, now: datetime) -> None:
    """Make what a purchase recorded as ``pending`` brings count: its points can be spent, its growth is there.

    Doing it again changes nothing, and neither does it bring back what was returned meanwhile. Raises ``NotFound``
    when there is no such purchase.
    """
    earned = queries.earned_by(unit_code=unit_code, order_no=order_no)
    if earned is None:
        raise NotFound(_("There is no purchase %(number)s on record.", number=order_no))
    points, growth = earned
    # Points first: a member's wallets are locked in the order in which they were opened.
    for amount, pending_key, name in (
        (points, earn_key(unit_code, order_no), "mature"),
        (growth, grow_key(unit_code, order_no), "grown"),
    ):
        if amount:
            with suppress(ledger.AlreadyResolved):  # Everything came back before it could mature.
                ledger.post_pending(key=f"purchase:{unit_code}:{order_no}:{name}", pending_key=pending_key, now=now)


def award_joining(*, member_id: int, now: datetime) -> None:
    """The welcome gift, once per member; for people who register or claim, never for imported ones."""
    rule = queries.in_force(_versions("joining", now=now), now)
    points, expiry = int(rule.terms["points"]), _expiry(rule.terms)
    if points:
        ledger.award(
            member_id=member_id,
            amount=Points(points),
            key=f"member:{member_id}:joining",
            kind="joining",
            explanation=why_joining(points, version=rule.version, life=_life(expiry, now)),
            expiry=expiry,
            occurred_at=now,
            now=now,
        )
