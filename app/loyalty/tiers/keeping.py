"""What keeps a member's tier at the next review, ready to show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from babel.dates import format_skeleton
from flask_babel import get_locale
from flask_babel import gettext as _

from app.foundation.formats import day
from app.foundation.languages import translated
from app.loyalty.tiers.queries import KeepProgress
from app.loyalty.tiers.rules import KeepCondition
from app.loyalty.tiers.statements import Bar
from app.loyalty.tiers.words import figure, keep_label, missing, rough_figure


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
