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
from app.loyalty.tiers.queries import ConditionProgress, HistoryEntry, TierProgress
from app.loyalty.tiers.rules import Requirement
from app.loyalty.tiers.words import figure, goal, metric_label, missing, requirement


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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a member stands on the ladder. ``next_name`` is empty at the top.

    ``bars`` are the conditions of the next tier, ``nearest`` the one to show where there is room for one;
    with ``any_of`` one full bar is enough. ``goal`` says in a sentence what the nearest one still asks for.
    """

    name: str
    rank: int
    since: str | None = None
    next_name: str = ""
    bars: Sequence[Bar] = ()
    nearest: Bar | None = None
    any_of: bool = False
    how: str = ""
    goal: str = ""


def place_of(progress: TierProgress | None) -> Place:
    """A member's place, ready to show; ``None``, while there is no ladder, is a member like any other."""
    if progress is None:
        return Place(_("Member"), 0)
    name, rank = translated(progress.tier.name), progress.tier.rank
    since = day(progress.since) if progress.since else None
    above, nearest = progress.next_tier, progress.nearest
    if above is None or nearest is None:
        return Place(name, rank, since)
    next_name = translated(above.name)
    return Place(
        name,
        rank,
        since,
        next_name,
        bars=[_bar(each) for each in progress.conditions],
        nearest=_bar(nearest),
        any_of=progress.match == "any" and len(progress.conditions) > 1,
        how=_how(progress),
        goal=goal(nearest.metric, nearest.missing, next_name),
    )


def _bar(each: ConditionProgress) -> Bar:
    return Bar(
        metric_label(each.metric),
        each.reached,
        each.needed,
        f"{figure(each.metric, each.reached)} / {figure(each.metric, each.needed)}",
        _("Done") if each.done else missing(each.metric, each.missing),
        each.done,
    )


def _how(progress: TierProgress) -> str:
    """How the bars count together."""
    months = progress.window_months
    if len(progress.conditions) == 1:
        return ngettext("Counted over the last %(num)s month.", "Counted over the last %(num)s months.", months)
    if progress.match == "any":
        return ngettext(
            "One full bar is enough. Counted over the last %(num)s month.",
            "One full bar is enough. Counted over the last %(num)s months.",
            months,
        )
    return ngettext(
        "All bars must be full. Counted over the last %(num)s month.",
        "All bars must be full. Counted over the last %(num)s months.",
        months,
    )


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
