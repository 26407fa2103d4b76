"""The ladder and a member's way up it, ready to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from babel.dates import format_skeleton
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from app.foundation.formats import day
from app.foundation.languages import translated
from app.loyalty.tiers.models import Tier
from app.loyalty.tiers.queries import ConditionProgress, HistoryEntry, KeepProgress, TierProgress
from app.loyalty.tiers.rules import Keep, KeepCondition, Requirement
from app.loyalty.tiers.words import (
    figure,
    goal,
    keep_label,
    keep_requirement,
    metric_label,
    missing,
    requirement,
    rough_figure,
)


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


# --- what keeps the tier ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the window. ``state`` is ``done``, ``short`` or, for what is still to come, ``ahead``."""

    name: str
    value: int
    text: str
    state: str


@dataclass(frozen=True, slots=True)
class KeepBar:
    """One condition of the review: a bar, and below it its months, of which ``top`` would fill the height."""

    bar: Bar
    months: list[Month]
    top: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """What keeps a member's tier, ready to show. ``tone`` is how urgent it is."""

    title: str
    lead: str
    tone: str
    how: str
    bars: list[KeepBar]


def keeping_of(keeping: KeepProgress | None, *, today: date) -> Keeping | None:
    """``None`` for whoever has nothing to lose."""
    if keeping is None:
        return None
    name = translated(keeping.tier.name)
    title = _("What keeps %(tier)s", tier=name)
    if keeping.given_until:
        lead = _(
            "Our team gave you %(tier)s until %(day)s. After that you stand where your own shopping has brought you.",
            tier=name,
            day=day(keeping.given_until),
        )
        return Keeping(title, lead, "info", "", [])
    lead, tone = _lead(keeping, name, today=today)
    return Keeping(
        title,
        lead,
        tone,
        _keep_how(keeping),
        [_keep_bar(each, keeping, today=today) for each in keeping.keep.conditions],
    )


def _lead(keeping: KeepProgress, name: str, *, today: date) -> tuple[str, str]:
    review, last_day = day(keeping.review), keeping.last_day
    if keeping.safe:
        safe_until = day(keeping.safe_until)
        return _(
            "You have done enough: %(tier)s is yours until at least %(day)s.", tier=name, day=safe_until
        ), "success"
    if keeping.protected:
        lead = _(
            "%(tier)s is yours until at least %(day)s, when it is reviewed for the first time.", tier=name, day=review
        )
        return lead, "info"
    if last_day < today:
        return _("On %(day)s your tier goes one step down, if nothing more is reported to us.", day=review), "warning"
    lead = _(
        "%(tier)s is yours until the review on %(day)s. Fill the bars by %(last)s, and you keep it longer.",
        tier=name,
        day=review,
        last=day(last_day),
    )
    return lead, "warning"


def _keep_how(keeping: KeepProgress) -> str:
    """Which months are looked at, and how the bars count together."""
    first, last = _month_and_year(keeping.months[0]), _month_and_year(keeping.months[-1])
    if first == last:
        months = _("The review on %(day)s looks at %(month)s.", day=day(keeping.review), month=first)
    else:
        months = _(
            "The review on %(day)s looks at %(first)s to %(last)s.", day=day(keeping.review), first=first, last=last
        )
    if len(keeping.keep.conditions) == 1:
        return months
    together = _("All bars must be full.") if keeping.keep.match == "all" else _("One full bar is enough.")
    return f"{months} {together}"


def _keep_bar(each: KeepCondition, keeping: KeepProgress, *, today: date) -> KeepBar:
    reached = each.reached(keeping.by_month)
    left = max(each.at_least - reached, 0)
    bar = Bar(
        keep_label(each.metric, each.months),
        reached,
        each.at_least,
        f"{figure(each.metric, reached)} / {figure(each.metric, each.at_least)}",
        missing(each.metric, left) if left else _("Done"),
        not left,
    )
    months = [
        Month(_month(first), amount, rough_figure(each.metric, amount), _month_state(each, first, amount, today))
        for first, amount in zip(keeping.months, [figures[each.metric] for figures in keeping.by_month], strict=True)
    ]
    return KeepBar(bar, months, max(each.at_least if each.months else 1, *(month.value for month in months)))


def _month_state(each: KeepCondition, first: date, amount: int, today: date) -> str:
    if first > today:
        return "ahead"
    return "short" if each.months and amount < each.at_least else "done"


def _month(first: date) -> str:
    return format_skeleton("MMM", first, locale=get_locale())


def _month_and_year(first: date) -> str:
    return format_skeleton("yMMMM", first, locale=get_locale())


# --- history ----------------------------------------------------------------------------------


def timeline(history: Sequence[HistoryEntry]) -> list[dict[str, Any]]:
    """A member's steps, newest first, as the look's timeline takes them."""
    return [
        {
            "title": _title(entry),
            "text": _text(entry),
            "time": day(entry.change.at),
            "by": None,
            "tone": _tone(entry),
        }
        for entry in history
    ]


def _tone(entry: HistoryEntry) -> str:
    if entry.from_tier is None:
        return "brand"
    return "neutral" if entry.to_tier.rank < entry.from_tier.rank else "gold"


def _title(entry: HistoryEntry) -> str:
    name = translated(entry.to_tier.name)
    if entry.from_tier is None:
        return _("You joined as %(name)s", name=name)
    if entry.change.reason == "manual":
        return _("Our team gave you %(name)s", name=name)
    if entry.to_tier.rank > entry.from_tier.rank:
        return _("You reached %(name)s", name=name)
    return _("You are now %(name)s", name=name)


def _text(entry: HistoryEntry) -> str:
    """Why, in words: the figures of then, against what was asked for then."""
    change = entry.change
    if change.reason == "manual":
        return _("Until %(day)s.", day=day(date.fromisoformat(change.evidence["until"])))
    figures = " · ".join(_evidence(entry))
    if change.reason == "manual_end":
        name = translated(entry.from_tier.name) if entry.from_tier else ""
        over = _("The time for which our team had given you %(tier)s is over.", tier=name)
        return f"{over} {figures}" if figures else over
    if change.reason == "return":
        return f"{_('After a return, this was no longer reached.')} {figures}"
    if change.reason == "review":
        months = change.evidence["window_months"]
        over = ngettext("In the last full month:", "In the last %(num)s full months:", months)
        return f"{over} {figures}"
    return figures


def _evidence(entry: HistoryEntry) -> list[str]:
    """What was reached then, of what was asked for then; after a fall, what was missing."""
    fell = entry.change.reason in ("review", "return")
    return [
        _(
            "%(label)s: %(reached)s of %(needed)s",
            label=keep_label(each["metric"], each["months"]) if "months" in each else metric_label(each["metric"]),
            reached=figure(each["metric"], each["reached"]),
            needed=figure(each["metric"], each["at_least"]),
        )
        for each in entry.change.evidence.get("conditions", [])
        if (each["reached"] >= each["at_least"]) is not fell
    ]
