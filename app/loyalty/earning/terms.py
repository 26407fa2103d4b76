"""The rules of earning as an owner writes them; a purchase is valued by the version in force when it happened."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from flask_babel import lazy_gettext as _l

from app.foundation.terms import term, terms
from app.loyalty.earning import parsing
from app.loyalty.earning.rules import Milestone, PurchaseRule, Reward
from app.loyalty.ledger.actions import ExpiryPolicy

# What points can be given for besides purchases, check-ins and referrals, which have terms of their own.
REWARDS = {
    "joining": _l("Joining"),
    "profile": _l("Completing the profile"),
    "sharing": _l("Sharing"),
    "review": _l("Writing a review"),
    "review_picture": _l("A review with a picture"),
    "draw": _l("Taking part in a draw"),
    "quiz": _l("Answering a quiz"),
    "survey": _l("Answering a survey"),
    "course": _l("Finishing a course"),
    "event": _l("Attending an event"),
    "birthday": _l("Birthday"),
    "anniversary": _l("Anniversary of joining"),
}

DEFAULT_REWARDS: dict[str, dict[str, Any]] = {
    "joining": {"points": 20},
    "profile": {"points": 30, "total": 30},
    "sharing": {"points": 30, "day": 30, "month": 300},
    "review": {"points": 10, "day": 50},
    "review_picture": {"points": 20, "day": 100},
    "draw": {"points": 50, "day": 50},
    "quiz": {"points": 10, "day": 30},
    "survey": {"points": 20, "month": 100},
    "course": {"points": 30, "month": 300},
    "event": {"points": 50, "month": 200},
    "birthday": {"points": 50},
    "anniversary": {"points": 50},
}


@terms("earning", _l("Earning points"))
class EarningTerms:
    """``rates`` are rates of their own for a unit, a category, an article; the shapes are those of ``parsing``.

    ``expiry`` is when points from purchases stop living where that is not left to the programme, for example
    ``{"kind": "months", "months": 6}``; a reward may have one, too.
    """

    rate: str = term("1", _l("Points per unit of money"))
    rates: list[dict[str, Any]] = term([], _l("Rates of their own"))
    growth_rate: str = term("1", _l("Growth value per unit of money"))
    caps: dict[str, Any] = term({}, _l("Caps for purchases"))
    campaigns: list[dict[str, Any]] = term([], _l("Campaigns"))
    bonuses: list[dict[str, Any]] = term([], _l("Bonuses"))
    rewards: dict[str, dict[str, Any]] = term(DEFAULT_REWARDS, _l("Rewards"))
    milestones: list[dict[str, Any]] = term([], _l("Milestones"))
    expiry: dict[str, Any] = term({}, _l("Expiry of points from purchases"))

    def __post_init__(self) -> None:
        self.purchase(1)
        self.by_kind  # noqa: B018 - parsed once here, so that nonsense is refused
        self.achievements  # noqa: B018
        self.purchase_expiry  # noqa: B018
        for kind in self.rewards:
            self.reward_expiry(kind)

    def purchase(self, version: int) -> PurchaseRule:
        """How purchases are valued; ``version`` is told in explanations."""
        return PurchaseRule(version, *self._purchase)

    @cached_property
    def _purchase(self) -> tuple[Any, ...]:
        growth = parsing.fraction(self.growth_rate, _l("Growth value per unit of money"), most=parsing.HIGHEST_RATE)
        name = _l("Purchases")
        return (
            parsing.rates(self.rates, self.rate),
            growth,
            parsing.campaigns(self.campaigns),
            parsing.bonuses(self.bonuses),
            parsing.caps(self.caps, name),
            parsing.optional(self.caps.get("budget"), _l("The budget of “%(name)s”", name=name)),
        )

    @cached_property
    def by_kind(self) -> dict[str, Reward]:
        """The fixed rewards that there are, by kind."""
        return parsing.rewards(self.rewards, REWARDS)

    @cached_property
    def achievements(self) -> tuple[Milestone, ...]:
        return parsing.milestones(self.milestones)

    @cached_property
    def purchase_expiry(self) -> ExpiryPolicy | None:
        """The rule's own expiry; ``None`` where it leaves that to the programme's policy."""
        return _policy(self.expiry)

    def reward_expiry(self, kind: str) -> ExpiryPolicy | None:
        return _policy(self.rewards.get(kind, {}).get("expiry") or {})


def _policy(data: Mapping[str, Any]) -> ExpiryPolicy | None:
    return ExpiryPolicy.parse(data) if data else None
