"""The ladder as an owner reads it: a line for each tier, and what a new one would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext

from app.foundation.languages import translated
from app.foundation.money import minor_units, programme_currency
from app.foundation.screens.terms_registry import Effect, Line, preview, teller
from app.loyalty.tiers.rules import METRICS, highest
from app.loyalty.tiers.statements import ladder_cards
from app.loyalty.tiers.terms import LadderTerms
from app.loyalty.tiers.words import figure, requirement

SAMPLES = (300, 1_000, 6_000, 25_000)  # In major units, within a year.


@teller(LadderTerms)
def lines(terms: LadderTerms) -> Sequence[Line]:
    return [
        Line(card.name, " ".join(filter(None, (card.intro, _list(card.ways), card.keep_intro, _list(card.keeps)))))
        for card in ladder_cards(terms.rows)
    ]


def _list(parts: Sequence[str]) -> str:
    return f"{', '.join(parts)}." if parts else ""


@dataclass(frozen=True, slots=True)
class Life:
    """What somebody does within ``months``, evenly spread over them. Money in minor units."""

    months: int
    figures: Mapping[str, int]

    def within(self, months: int) -> dict[str, int]:
        """What of it lies in the last ``months``."""
        return {metric: self.figures.get(metric, 0) * min(months, self.months) // self.months for metric in METRICS}

    @property
    def in_words(self) -> str:
        parts = [requirement(metric, value) for metric, value in self.figures.items() if value]
        return " · ".join(parts) or _("Nothing at all")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where such a life leads, in words."""

    rank: int
    name: str
    sentence: str
    keeping: str


def standing_of(life: Life, ladder: LadderTerms) -> Standing:
    reached = highest(ladder.steps, {months: life.within(months) for months in range(1, 61)}, above=0)
    rank = reached.rank if reached else 0
    name = translated(ladder.tiers[rank]["name"])
    sentence = ngettext(
        "Within %(num)s month: %(figures)s. Such a member stands on %(tier)s.",
        "Within %(num)s months, evenly: %(figures)s. Such a member stands on %(tier)s.",
        life.months,
        figures=life.in_words,
        tier=name,
    )
    return Standing(rank, name, sentence, _keeping(life, ladder, rank, name))


def _keeping(life: Life, ladder: LadderTerms, rank: int, name: str) -> str:
    """Would going on like this keep the tier?"""
    keep = ladder.steps[rank].keep
    if rank == 0 or not keep.conditions:
        return ""
    month = {metric: value // life.months for metric, value in life.figures.items()}
    by_month = [{metric: month.get(metric, 0) for metric in METRICS}] * keep.window_months
    if keep.kept(by_month):
        return _("Who goes on like this keeps %(tier)s.", tier=name)
    return _("Who goes on like this loses %(tier)s at a review.", tier=name)


@preview(LadderTerms)
def examples(in_force: LadderTerms, draft: LadderTerms) -> Sequence[Effect]:
    """Who spends so much in a year, and earns as many points, stands where?"""
    return list(_examples(in_force, draft))


def _examples(in_force: LadderTerms, draft: LadderTerms) -> Iterator[Effect]:
    major = minor_units(programme_currency())
    for amount in SAMPLES:
        life = Life(12, {"spend": amount * major, "points_earned": amount})
        label = _("%(amount)s spent in 12 months", amount=figure("spend", amount * major))
        yield Effect(label, standing_of(life, in_force).name, standing_of(life, draft).name)
