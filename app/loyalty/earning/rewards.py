"""Fixed rewards: joining, completing the profile, sharing, quizzes and whatever else is no purchase.

Each thing is rewarded once, by its ``subject``. Caps and budgets are those of the version in force at the moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import any_of, db
from app.foundation.events import publish
from app.foundation.points import Points
from app.foundation.terms import Edition, at
from app.loyalty.earning.events import RewardsGiven
from app.loyalty.earning.explanations import why_reward
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.rules import Cut, Reward, capped, period_of_day
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import lock_budgets, use_budgets
from app.loyalty.ledger import actions as ledger

LONGEST_SUBJECT = Rewarded.subject.type.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that a member did. ``subject`` names it among the member's deeds of its ``kind``: ``quiz:spring``.

    ``about`` is told in the explanation: the quiz's title, the event's name.
    """

    member_id: int
    kind: str
    subject: str
    about: str = ""
    unit_id: int | None = None

    @property
    def fact(self) -> tuple[int, str, str]:
        return self.member_id, self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Granted:
    """What a reward came to. ``fresh`` is false when this was rewarded before; ``cuts`` say why it was less."""

    points: Points
    fresh: bool
    cuts: tuple[Cut, ...] = ()


def reward(
    *, member_id: int, kind: str, subject: str, now: datetime, about: str = "", unit_id: int | None = None
) -> Granted:
    """Give what the rules give for this kind of thing, once; the fields are those of ``Deed``. As ``reward_many``."""
    deed = Deed(member_id=member_id, kind=kind, subject=subject, about=about, unit_id=unit_id)
    return reward_many([deed], now=now)[0]


def reward_many(deeds: Sequence[Deed], *, now: datetime, by_rules_of: datetime | None = None) -> list[Granted]:
    """Give what the rules give, each thing once, with a handful of statements for all together.

    ``by_rules_of`` is the moment whose rules count where that is not ``now``.

    A second time, or in parallel, nothing moves. Where a cap or a budget leaves less, it is less, and nothing where
    nothing is left; it is written down even so. Locks budgets, then wallets. Raises ``NoWallet``. Publishes
    ``RewardsGiven`` once.
    """
    edition = at(EarningTerms, by_rules_of or now)
    rules = {deed.kind: edition.terms.by_kind.get(deed.kind) or Reward(kind=deed.kind, points=0) for deed in deeds}
    budgets = {_budget_code(kind): rule.budget for kind, rule in rules.items() if rule.budget is not None}
    used = lock_budgets(budgets)
    left = {code: budget - used[code] for code, budget in budgets.items()}
    ledger.queue_up({deed.member_id for deed in deeds})
    given = _given(deeds)
    had = {kind: _had(kind, deeds, rule, now) for kind, rule in rules.items()}
    answers, fresh = [], []
    for deed in deeds:
        if deed.fact in given:
            answers.append(Granted(Points(given[deed.fact]), fresh=False))
            continue
        rule, code = rules[deed.kind], _budget_code(deed.kind)
        mine = had[deed.kind][deed.member_id]
        points, cuts = capped(rule.points, rule.caps, rule.budget, used=mine, left=left.get(code, 0))
        for cap in rule.caps.periods:
            mine[cap] += points
        if code in left:
            left[code] -= points
        given[deed.fact] = points
        answers.append(Granted(Points(points), fresh=True, cuts=cuts))
        fresh.append((deed, answers[-1]))
    _write(fresh, edition, rules, now=now)
    use_budgets({code: budget - used[code] - left[code] for code, budget in budgets.items()})
    if paid := sorted({deed.member_id for deed, granted in fresh if granted.points}):
        publish(RewardsGiven(tuple(paid), now))
    return answers


def award_joining(*, member_id: int, now: datetime) -> Points:
    """The welcome gift, once per member; for people who register or claim, never for imported ones."""
    return reward(member_id=member_id, kind="joining", subject="joining", now=now).points


def reward_key(deed: Deed) -> str:
    """The business key of a reward."""
    if deed.kind == "joining":
        return f"member:{deed.member_id}:joining"
    return f"reward:{deed.kind}:{deed.member_id}:{deed.subject}"


def _budget_code(kind: str) -> str:
    return f"reward:{kind}"


def _given(deeds: Sequence[Deed]) -> dict[tuple[int, str, str], int]:
    """What of it was rewarded before."""
    facts = {deed.fact for deed in deeds}
    which = sa.select(Rewarded.member_id, Rewarded.kind, Rewarded.subject, Rewarded.points).where(
        any_of(Rewarded.member_id, {deed.member_id for deed in deeds}),
        any_of(Rewarded.kind, {deed.kind for deed in deeds}),
        any_of(Rewarded.subject, {deed.subject for deed in deeds}),
    )
    return {(row[0], row[1], row[2]): row[3] for row in db.session.execute(which) if (row[0], row[1], row[2]) in facts}


def _had(kind: str, deeds: Sequence[Deed], rule: Reward, now: datetime) -> defaultdict[int, dict[str, int]]:
    """What each member has had for this kind, in each period that has a cap."""
    members, zone = {deed.member_id for deed in deeds if deed.kind == kind}, clock.programme_zone()
    caps = rule.caps.periods
    had: defaultdict[int, dict[str, int]] = defaultdict(lambda: dict.fromkeys(caps, 0))
    for cap in caps:
        begin, _end = period_of_day(cap, clock.local_date(now, zone))
        sums = (
            sa.select(Rewarded.member_id, sa.func.sum(Rewarded.points))
            .where(
                any_of(Rewarded.member_id, members),
                Rewarded.kind == kind,
                Rewarded.at >= clock.start_of(begin, zone),
            )
            .group_by(Rewarded.member_id)
        )
        for member_id, points in db.session.execute(sums):
            had[member_id][cap] = int(points)
    return had


def _write(
    fresh: Sequence[tuple[Deed, Granted]], edition: Edition[EarningTerms], rules: dict[str, Reward], *, now: datetime
) -> None:
    if not fresh:
        return
    rows = [
        {
            "member_id": deed.member_id,
            "kind": deed.kind,
            "subject": deed.subject,
            "points": int(granted.points),
            "at": now,
        }
        for deed, granted in fresh
    ]
    db.session.execute(sa.insert(Rewarded), rows)
    awards = [
        _award(deed, granted, edition, full=rules[deed.kind].points, now=now)
        for deed, granted in fresh
        if granted.points
    ]
    if awards:
        ledger.award_many(awards, now=now)


def _award(deed: Deed, granted: Granted, edition: Edition[EarningTerms], *, full: int, now: datetime) -> ledger.Award:
    expiry = edition.terms.reward_expiry(deed.kind)
    why = why_reward(
        deed.kind,
        int(granted.points),
        full=full,
        cuts=granted.cuts,
        about=deed.about,
        version=edition.version,
        expiry=expiry,
        since=now,
    )
    return ledger.Award(
        member_id=deed.member_id,
        amount=granted.points,
        key=reward_key(deed),
        kind=deed.kind,
        unit_id=deed.unit_id,
        explanation=why,
        expiry=expiry,
        occurred_at=now,
    )
