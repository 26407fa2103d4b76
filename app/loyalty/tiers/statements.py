"""The ladder and a member's way up it, ready to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import day
from app.foundation.languages import translated
from app.loyalty.tiers.models import Tier
from app.loyalty.tiers.queries import ConditionProgress, TierProgress
from app.loyalty.tiers.rules import Keep, Requirement
from app.loyalty.tiers.words import figure, goal, keep_requirement, metric_label, missing, requirement


@dataclass(frozen=True, slots=True)
class TierCard:
    """One tier of the ladder. ``state`` is ``reached``, ``here``, ``next`` or, for visitors, empty.

    ``ways`` lead to it, ``keeps`` are what the monthly review asks for, ``benefits`` what it brings.
    """

    name: str
    rank: int
    intro: str
    ways: list[str]
    keep_intro: str
    keeps: list[str]
    benefits: Sequence[str]
    state: str


def ladder_cards(
    tiers: Sequence[Tier],
    standing: TierProgress | None = None,
    *,
    benefits: Mapping[int, Sequence[str]] = MappingProxyType({}),
) -> list[TierCard]:
    """All tiers, the first one first, as seen by a member or (without ``standing``) by a visitor.

    ``benefits`` are sentences by the tier's id.
    """
    return [_card(tier, standing, benefits.get(tier.id, ())) for tier in tiers]


def _card(tier: Tier, standing: TierProgress | None, benefits: Sequence[str]) -> TierCard:
    asked, keep = Requirement.parse(tier.conditions), Keep.parse(tier.keep)
    return TierCard(
        name=translated(tier.name),
        rank=tier.rank,
        intro=_intro(tier, asked),
        ways=[requirement(each.metric, each.at_least) for each in asked.conditions],
        keep_intro=_keep_intro(tier, keep),
        keeps=[keep_requirement(each.metric, each.at_least, each.months) for each in keep.conditions],
        benefits=benefits,
        state=_state(tier, standing),
    )


def _keep_intro(tier: Tier, keep: Keep) -> str:
    if tier.rank == 0:
        return ""
    if not keep.conditions:
        return _("Once reached, it stays yours.")
    if len(keep.conditions) == 1 or keep.match == "all":
        return ngettext(
            "To keep it, in the last full month:", "To keep it, in the last %(num)s full months:", keep.window_months
        )
    return ngettext(
        "To keep it, one of these in the last full month:",
        "To keep it, one of these in the last %(num)s full months:",
        keep.window_months,
    )


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
    bars = [_bar(each) for each in progress.conditions]
    return Place(
        name,
        rank,
        since,
        next_name,
        bars=bars,
        nearest=bars[progress.conditions.index(nearest)],
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
    """How the bars count together, and from when."""
    months, anew = progress.window_months, progress.counts_from
    if len(progress.conditions) == 1:
        if anew:
            return _("Counted anew from %(day)s, when your tier changed.", day=day(anew))
        return ngettext("Counted over the last %(num)s month.", "Counted over the last %(num)s months.", months)
    if progress.match == "any":
        if anew:
            return _("One full bar is enough. Counted anew from %(day)s, when your tier changed.", day=day(anew))
        return ngettext(
            "One full bar is enough. Counted over the last %(num)s month.",
            "One full bar is enough. Counted over the last %(num)s months.",
            months,
        )
    if anew:
        return _("All bars must be full. Counted anew from %(day)s, when your tier changed.", day=day(anew))
    return ngettext(
        "All bars must be full. Counted over the last %(num)s month.",
        "All bars must be full. Counted over the last %(num)s months.",
        months,
    )
