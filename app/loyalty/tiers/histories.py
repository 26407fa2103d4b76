"""A member's way up and down the ladder, ready to show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.formats import day
from app.foundation.languages import translated
from app.loyalty.tiers.queries import HistoryEntry
from app.loyalty.tiers.words import figure, keep_label, metric_label


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
