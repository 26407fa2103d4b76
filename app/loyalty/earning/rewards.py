"""Fixed rewards: joining, completing the profile, sharing, quizzes and whatever else is no purchase.

Each thing is rewarded once, by its ``subject``. Caps and budgets are those of the version in force at the moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from app.foundation import clock
from app.foundation.database import db, insert_new
from app.foundation.points import Points
from app.foundation.terms import at
from app.loyalty.earning.explanations import why_reward
from app.loyalty.earning.models import Rewarded
from app.loyalty.earning.rules import Caps, Cut, Reward, capped, period_of_day
from app.loyalty.earning.terms import EarningTerms
from app.loyalty.earning.valuing import lock_budgets, use_budgets
from app.loyalty.ledger import actions as ledger


@dataclass(frozen=True, slots=True)
class Granted:
    """What a reward came to. ``fresh`` is false when this was rewarded before; ``cuts`` say why it was less."""

    points: Points
    fresh: bool
    cuts: tuple[Cut, ...] = ()


def reward(
    *, member_id: int, kind: str, subject: str, now: datetime, about: str = "", unit_id: int | None = None
) -> Granted:
    """Give what the rules give for this ``kind`` of thing, once per ``subject``.

    ``about`` is told in the explanation: the quiz's title, the event's name. A second time, or in parallel, nothing
    moves. Where a cap or the budget leaves less, it is less, and nothing where nothing is left; it
    is written down even so. Raises ``NoWallet``.
    """
    edition = at(EarningTerms, now)
    rule = edition.terms.by_kind.get(kind) or Reward(kind=kind, points=0)
    used = lock_budgets([_budget_code(kind)] if rule.budget is not None else [])
    ledger.queue_up([member_id])
    left = (rule.budget or 0) - used.get(_budget_code(kind), 0)
    points, cuts = capped(rule.points, rule.caps, rule.budget, used=_had(member_id, kind, rule.caps, now), left=left)
    row = {"member_id": member_id, "kind": kind, "subject": subject, "points": points, "at": now}
    if not insert_new(Rewarded, [row], unless=["member_id", "kind", "subject"], returning=[Rewarded.id]):
        return Granted(_earlier(member_id, kind, subject), fresh=False)
    if points:
        expiry = edition.terms.reward_expiry(kind)
        ledger.award(
            member_id=member_id,
            amount=Points(points),
            key=reward_key(member_id, kind, subject),
            kind=kind,
            unit_id=unit_id,
            explanation=why_reward(
                kind,
                points,
                version=edition.version,
                full=rule.points,
                cuts=cuts,
                about=about,
                expiry=expiry,
                since=now,
            ),
            expiry=expiry,
            occurred_at=now,
            now=now,
        )
        if rule.budget is not None:
            use_budgets({_budget_code(kind): points})
    return Granted(Points(points), fresh=True, cuts=cuts)


def award_joining(*, member_id: int, now: datetime) -> Points:
    """The welcome gift, once per member; for people who register or claim, never for imported ones."""
    return reward(member_id=member_id, kind="joining", subject="joining", now=now).points


def reward_key(member_id: int, kind: str, subject: str) -> str:
    """The business key of a reward."""
    return f"member:{member_id}:joining" if kind == "joining" else f"reward:{kind}:{member_id}:{subject}"


def _budget_code(kind: str) -> str:
    return f"reward:{kind}"


def _had(member_id: int, kind: str, caps: Caps, now: datetime) -> dict[str, int]:
    """What the member has had for this kind, in each period that has a cap."""
    zone = clock.programme_zone()
    had = {}
    for cap in caps.periods:
        begin, _end = period_of_day({"total": "ever"}.get(cap, cap), clock.local_date(now, zone))
        mine = sa.select(sa.func.coalesce(sa.func.sum(Rewarded.points), 0)).where(
            Rewarded.member_id == member_id, Rewarded.kind == kind, Rewarded.at >= clock.start_of(begin, zone)
        )
        had[cap] = int(db.session.scalar(mine) or 0)
    return had


def _earlier(member_id: int, kind: str, subject: str) -> Points:
    which = sa.select(Rewarded.points).where(
        Rewarded.member_id == member_id, Rewarded.kind == kind, Rewarded.subject == subject
    )
    return Points(db.session.scalars(which).one())
