"""The ladder and a member's way up it, ready to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import day
from app.foundation.languages import translated
from app.loyalty.tiers.models import Tier
from app.loyalty.tiers.queries import HistoryEntry, TierProgress
from app.loyalty.tiers.rules import Requirement
from app.loyalty.tiers.words import figure, metric_label, missing, requirement


@dataclass(frozen=True, slots=True)
class TierCard:
    """One tier of the ladder. ``state`` is ``reached``, ``here``, ``next`` or, for visitors, empty."""

    name: str
    rank: int
    intro: str
    ways: list[str]
    state: str


def ladder_cards(tiers: Sequence[Tier], standing: TierProgress | None = None) -> list[TierCard]:
    """All tiers, the first one first, as seen by a member or (without ``standing``) by a visitor."""
    return [_card(tier, standing) for tier in tiers]


def _card(tier: Tier, standing: TierProgress | None) -> TierCard:
    asked = Requirement.parse(tier.conditions)
    ways = [requirement(each.metric, each.at_least) for each in asked.conditions]
    return TierCard(translated(tier.name), tier.rank, _intro(tier, asked), ways, _state(tier, standing))


def _intro(tier: Tier, asked: Requirement) -> str:
    if tier.rank == 0:
        return _("Yours from the day you join.")
    if not asked.conditions:
        return _("By invitation.")
    if len(asked.conditions) == 1:
        return ngettext("Within %(num)s month:", "Within %(num)s months:", asked.window_months)
    if asked.match == "any":
        return ngettext(
            "One of these within %(num)s month:", "One of these within %(num)s months:", asked.window_months
        )
    return ngettext("All of these within %(num)s month:", "All of these within %(num)s months:", asked.window_months)


def _state(tier: Tier, standing: TierProgress | None) -> str:
    if standing is None:
        return ""
    if tier.rank == standing.tier.rank:
        return "here"
    if tier.rank < standing.tier.rank:
        return "reached"
    return "next" if standing.next_tier is not None and tier.rank == standing.next_tier.rank else ""


@dataclass(frozen=True, slots=True)
class Bar:
    """One condition of the next tier as a bar with its words."""

    label: str
    value: int
    maximum: int
    text: str
    hint: str
    done: bool


def bars(progress: TierProgress) -> list[Bar]:
    return [
        Bar(
            metric_label(each.metric),
            each.reached,
            each.needed,
            f"{figure(each.metric, each.reached)} / {figure(each.metric, each.needed)}",
            _("Done") if each.done else missing(each.metric, each.missing),
            each.done,
        )
        for each in progress.conditions
    ]


def nearest(progress: TierProgress) -> Bar | None:
    """The bar to show where there is room for one."""
    position = next((i for i, each in enumerate(progress.conditions) if each is progress.nearest), None)
    return None if position is None else bars(progress)[position]


def timeline(history: Sequence[HistoryEntry]) -> list[dict[str, Any]]:
    """A member's steps, newest first, as the look's timeline takes them."""
    return [
        {
            "title": _title(entry),
            "text": " · ".join(_evidence(entry)),
            "time": day(entry.change.at),
            "by": None,
            "tone": "gold" if entry.from_tier is not None else "brand",
        }
        for entry in history
    ]


def _title(entry: HistoryEntry) -> str:
    name = translated(entry.to_tier.name)
    if entry.from_tier is None:
        return _("You joined as %(name)s", name=name)
    if entry.to_tier.rank > entry.from_tier.rank:
        return _("You reached %(name)s", name=name)
    return _("You are now %(name)s", name=name)


def _evidence(entry: HistoryEntry) -> list[str]:
    """What was reached then, of what was asked for then."""
    return [
        _(
            "%(label)s: %(reached)s of %(needed)s",
            label=metric_label(each["metric"]),
            reached=figure(each["metric"], each["reached"]),
            needed=figure(each["metric"], each["at_least"]),
        )
        for each in entry.change.evidence.get("conditions", [])
        if each["reached"] >= each["at_least"]
    ]
