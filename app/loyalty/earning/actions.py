"""Award what purchases, and other things that members do, earn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from flask_babel import gettext as _

from app.foundation import clock, terms
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.events import publish
from app.foundation.money import minor_units
from app.foundation.points import Growth, Points
from app.loyalty.benefits.queries import Shopping, multipliers
from app.loyalty.earning.explanations import why_growth, why_purchase
from app.loyalty.earning.keys import earn_key, grow_key
from app.loyalty.earning.milestones import review_milestones, take_back_milestones
from app.loyalty.earning.returns import claw_back_returned, return_purchase
from app.loyalty.earning.rewards import Deed, Granted, award_joining, reward, reward_many
from app.loyalty.earning.rules import Factor, GrowthAward, PurchaseAward, PurchaseRule, purchase_growth
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import (
    Tally,
    anything_limited,
    award_for,
    factor,
    lock_budgets,
    rules_for,
    spends,
    use_budgets,
)
from app.loyalty.ledger import actions as ledger
from app.loyalty.ledger.actions import ExpiryPolicy
from app.loyalty.ledger.explanations import lives
from app.loyalty.purchases import queries as purchases
from app.loyalty.purchases.actions import (
    Earned,
    Key,
    KnownPurchase,
    Outcome,
    PurchaseReport,
    ReportedLine,
    difference,
    write_down,
)
from app.loyalty.purchases.events import PurchasesRecorded

__all__ = [
    "Deed",
    "Granted",
    "LiveFrom",
    "Outcome",
    "PurchaseReport",
    "RecordedPurchase",
    "ReportedLine",
    "award_joining",
    "claw_back_returned",
    "earn_key",
    "grow_key",
    "install_defaults",
    "mature_purchase",
    "record_purchases",
    "return_purchase",
    "review_milestones",
    "reward",
    "reward_many",
    "take_back_milestones",
]

LiveFrom = Literal["import", "purchase"]


def install_defaults(*, now: datetime) -> None:
    """Write the rules a programme begins with down as version 1. May be called again at any time."""
    terms.install(EarningTerms, now=now)


# --- purchases --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordedPurchase:
    """What became of one report. ``points`` and ``growth`` are what the purchase on record earned, now or then.

    ``difference`` names what a report under a known number says differently: nothing of it was recorded.
    """

    report: PurchaseReport
    outcome: Outcome
    points: Points
    growth: Growth
    difference: str = ""


@dataclass(frozen=True, slots=True)
class _Case:
    """A report, the rule that values it, and what the member's benefits multiply by."""

    report: PurchaseReport
    rule: PurchaseRule
    expiry: ExpiryPolicy | None
    tier: Factor | None


@dataclass(frozen=True, slots=True)
class _Valued:
    report: PurchaseReport
    award: PurchaseAward
    growth: GrowthAward
    version: int
    expiry: ExpiryPolicy | None

    @property
    def earned(self) -> Earned:
        return Earned(self.report, self.award.points, self.growth.growth, self.award.shares, self.award.codes)


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
    cases = _cases([first[key] for key in sorted(first)])
    tally = Tally()
    if anything_limited():
        cases = _hold_still(cases, tally)
    valued = _value(cases, tally)
    new = write_down([each.earned for each in valued], now=now)
    fresh = {each.report.key: each for each in valued if each.report.key in new}
    use_budgets(sum((Counter(each.award.spent) for each in fresh.values()), Counter()))
    _award(fresh.values(), now=now, points_live_from=points_live_from, pending=pending)
    if fresh:
        members = sorted({each.report.member_id for each in fresh.values()})
        days = {clock.local_date(each.report.occurred_at, clock.programme_zone()): each for each in fresh.values()}
        moments = tuple(each.report.occurred_at for each in days.values())
        publish(PurchasesRecorded(tuple(members), now, moments))
    on_record = purchases.on_record([key for key in first if key not in new])
    return _outcomes(reports, fresh, on_record)


def _cases(reports: Sequence[PurchaseReport]) -> list[_Case]:
    """What each purchase is valued by: the version in force, and the benefits its member had, when it happened."""
    for report in reports:
        if not report.lines:
            raise InvalidInput(_("Purchase %(number)s has no lines.", number=report.order_no))
    rules = rules_for([report.occurred_at for report in reports])
    asked = [Shopping(report.member_id, report.unit_code, report.occurred_at) for report in reports]
    return [
        _Case(report, rule, edition.terms.purchase_expiry, factor(multiplier))
        for report, (edition, rule), multiplier in zip(reports, rules, multipliers(asked), strict=True)
    ]


def _hold_still(cases: Sequence[_Case], tally: Tally) -> list[_Case]:
    """Lock what the rules look at and read it: budgets, then members. Leaves out what is on record by now."""
    tally.budgets |= lock_budgets({code for case in cases for code in case.rule.budgets})
    ledger.queue_up({case.report.member_id for case in cases})
    known = purchases.on_record([case.report.key for case in cases])
    unknown = [case for case in cases if case.report.key not in known]
    tally.look_up([(case.report.member_id, case.report.occurred_at, case.rule) for case in unknown])
    return unknown


def _value(cases: Sequence[_Case], tally: Tally) -> list[_Valued]:
    """In the order in which things happened, so that the third purchase of a batch is the third."""
    zone = clock.programme_zone()
    valued: list[_Valued | None] = [None] * len(cases)
    for place in sorted(range(len(cases)), key=lambda i: (cases[i].report.occurred_at, i)):
        case, report = cases[place], cases[place].report
        local = report.occurred_at.astimezone(zone).replace(tzinfo=None)
        at = tally.circumstances(report.member_id, report.occurred_at, local, case.rule, case.tier)
        award = award_for(report, case.rule, at)
        if case.rule.limited:
            tally.count(report.member_id, report.occurred_at, amount=report.amount, award=award)
        growth = purchase_growth(spends(report.lines), case.rule, minor_units=minor_units(report.currency))
        valued[place] = _Valued(report, award, growth, case.rule.version, case.expiry)
    return [each for each in valued if each is not None]


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
    earned = purchases.earned_by(unit_code=unit_code, order_no=order_no)
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
